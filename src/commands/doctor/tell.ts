import type { Style } from "../../cli/style.ts";
import { printable } from "../../core/printable.ts";
import type { Finding, Level, Prescribed, Report } from "./finding.ts";

const levelWidth = "not here".length;
const margin = " ".repeat(levelWidth + 4);

/** For people: a section a role, its verdict first, then each finding with what mends it. */
export function tellReports({ reports, install }: Prescribed, style: Style): string {
  const sections = reports.map((report) => sectionOf(report, style));
  if (install !== null)
    sections.push(["all of it at once:", ...install.split("\n").map((line) => `  ${style.cyan(line)}`)]);
  return sections.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n");
}

function sectionOf({ role, level, what, findings }: Report, style: Style): readonly string[] {
  const paint = painterOf(level, style);
  return [
    `${style.bold(role)}: ${paint(level)}: ${printable(what)}`,
    ...findings.flatMap((finding, index) => [
      `  ${painterOf(finding.level, style)(finding.level.padEnd(levelWidth))}  ${printable(finding.what)}`,
      ...tellRemedy(finding, findings.slice(index + 1), style),
    ]),
  ];
}

/** A command that mends several findings stands below the last one of them. */
function tellRemedy({ remedy }: Finding, others: readonly Finding[], style: Style): readonly string[] {
  if (remedy === null || others.some((other) => other.remedy === remedy)) return [];
  return remedy
    .split("\n")
    .map((line, index) => `${margin}${index === 0 ? "→" : " "} ${style.cyan(printable(line))}`);
}

function painterOf(level: Level, style: Style): (text: string) => string {
  switch (level) {
    case "ready":
      return style.green;
    case "partly":
      return style.yellow;
    case "missing":
      return style.red;
    case "not here":
      return style.dim;
  }
}
