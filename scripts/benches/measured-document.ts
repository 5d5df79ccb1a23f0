import { describeMachine } from "./machine.ts";
import type { Entry, Failure, Measured } from "./measured.ts";
import { summarise, summaryTable } from "./measured-summary.ts";
import { resultTables } from "./result.ts";
import { type Section, sections } from "./sections.ts";

const begin = "<!-- measured: -->";
const end = "<!-- :measured -->";

/** All that was measured, what failed and what is missing: Markdown, ending in a line end. */
export function renderDocument(measured: Measured): string {
  const entries = inOrder(measured.entries);
  const quick = entries.filter((entry) => entry.quick).map(({ section }) => section);
  const machines = machinesOf(entries);
  const paragraphs = [
    "# Measured",
    "Berry beside what people take instead; of several runs, the medians. `scripts/bench` measures all of it and writes this document from `measured.json` beside it; what each bench does is said in `scripts/bench --help` and in `scripts/benches/`.",
    ...(quick.length === 0
      ? []
      : [`**Quick: ${quick.join(", ")} did as little as possible. These are no figures to quote.**`]),
    machines.map((machine, index) => `- ${machineName(index)}: ${machine}`).join("\n"),
    "## Summary",
    summaryTable(summarise(measured)).trimEnd(),
    "## When and of what",
    whenTable(measured, machines),
    ...sections.flatMap((section) => sectionParagraphs(section, measured)),
  ];
  return `${paragraphs.filter((paragraph) => paragraph !== "").join("\n\n")}\n`;
}

/** What README shows: the summary, without quick runs, and where it comes from. Begins and ends in a line end. */
export function renderReadmeBlock({ entries, failures }: Measured): string {
  const real = inOrder(entries).filter(({ quick }) => !quick);
  if (real.length === 0) return "\nNothing has been measured yet.\n\n";
  const machines = machinesOf(real);
  const origins = new Map<string, string[]>();
  for (const { section, date, commit, machine } of real) {
    const where = machines.length === 1 ? "" : `, ${describeMachine(machine)}`;
    const origin = `${dayOf(date)} at ${commit}${where}`;
    origins.set(origin, [...(origins.get(origin) ?? []), section]);
  }
  const on = machines.length === 1 ? ` (${machines.join("")})` : "";
  const from =
    origins.size === 1
      ? `Measured on ${[...origins.keys()].join("")}${on}. `
      : `Measured${on}:\n\n${[...origins].map(([origin, names]) => `- ${names.join(", ")}: ${origin}\n`).join("")}\n`;
  return `
${from}Runs, loads and all other figures: [docs/measured.md](docs/measured.md).

${summaryTable(summarise({ entries: real, failures }))}
`;
}

/** What stands between the markers; null: they are not there. */
export function readmeBlock(readme: string): string | null {
  const place = blockPlace(readme);
  return place === null ? null : readme.slice(place.from, place.to);
}

/** The text with another block between the markers; null: they are not there. */
export function withReadmeBlock(readme: string, block: string): string | null {
  const place = blockPlace(readme);
  return place === null ? null : `${readme.slice(0, place.from)}${block}${readme.slice(place.to)}`;
}

/** Markers stand alone in their lines. */
function blockPlace(readme: string): { readonly from: number; readonly to: number } | null {
  const first = readme.indexOf(`\n${begin}\n`);
  if (first === -1) return null;
  const from = first + begin.length + 2;
  const to = readme.indexOf(`${end}\n`, from);
  return to === -1 ? null : { from, to };
}

function sectionParagraphs(section: Section, { entries, failures }: Measured): string[] {
  const entry = entries.find((each) => each.section === section.name);
  const failure = failures.find((each) => each.section === section.name);
  return [
    `## ${section.name}`,
    ...(failure === undefined ? [] : [failureLine(failure)]),
    ...(entry === undefined
      ? [failure === undefined ? "Not measured." : "Nothing was measured before."]
      : [
          `${entry.quick ? "**Quick.** " : ""}\`${entry.command}\` on ${timeOf(entry.date)} at ${entry.commit}.`,
          resultTables(entry.result).trimEnd(),
        ]),
  ];
}

function failureLine({ date, commit, message }: Failure): string {
  return `**Failed** on ${timeOf(date)} at ${commit}: ${message}`;
}

function whenTable({ entries, failures }: Measured, machines: readonly string[]): string {
  const head = ["section", "measured (UTC)", "commit", "machine", "load before", "busy before", "took"];
  const lines = sections.map(({ name }) => {
    const entry = entries.find(({ section }) => section === name);
    const failed = failures.some(({ section }) => section === name) ? "**failed**" : null;
    if (entry === undefined) return [name, failed ?? "not measured", "", "", "", "", ""];
    const { date, commit, machine, load, seconds } = entry;
    return [
      name,
      failed === null ? timeOf(date) : `${timeOf(date)}, then ${failed}`,
      commit,
      machineName(machines.indexOf(describeMachine(machine))),
      load.average.toFixed(2),
      `${load.busyPercent} %`,
      duration(seconds),
    ];
  });
  const rule = head.map((_, column) => (column < 4 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Such as `28 min` or `45 s`. */
export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function inOrder(entries: readonly Entry[]): Entry[] {
  return sections.flatMap(({ name }) => entries.filter(({ section }) => section === name));
}

function machinesOf(entries: readonly Entry[]): string[] {
  return [...new Set(entries.map(({ machine }) => describeMachine(machine)))];
}

function machineName(index: number): string {
  return `machine ${index + 1}`;
}

function timeOf(date: string): string {
  return date.slice(0, 16).replace("T", " ");
}

function dayOf(date: string): string {
  return date.slice(0, 10);
}
