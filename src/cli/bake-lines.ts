import type { BakeState, FinishedStep, RunningStep } from "./bake-state.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./table.ts";
import { formatBytes, formatSeconds } from "../core/units.ts";
import type { BakeEvent } from "../imager/event.ts";

const barCells = 10;
const liveSteps = 6;
const slowestSteps = 5;

/** Text of a program made harmless for a terminal: no escape sequences, no control characters. */
export function sanitize(line: string): string {
  return Bun.stripANSI(line)
    .replaceAll("\t", " ")
    .replaceAll(/\p{Cc}/gu, "");
}

/** The text cut to the columns, with `…` where something was cut. */
export function truncate(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  let cut = "";
  for (const letter of text) {
    if (Bun.stringWidth(cut + letter) > columns - 1) break;
    cut += letter;
  }
  return columns < 1 ? "" : `${cut}…`;
}

function label(
  { ordinal, layer, title }: Pick<RunningStep, "ordinal" | "layer" | "title">,
  steps: number,
): string {
  const count = ordinal > steps ? `${ordinal}` : `${String(ordinal).padStart(String(steps).length)}/${steps}`;
  return sanitize(`[${count}] ${layer}: ${title}`);
}

function bar(doneBytes: number, totalBytes: number): string {
  const share = Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(share * barCells);
  const percent = `${Math.floor(share * 100)} %`.padStart(6);
  return `[${"#".repeat(filled)}${".".repeat(barCells - filled)}]${percent}`;
}

function measures({ startedAt, doneBytes, totalBytes }: RunningStep, now: number): string {
  const parts = [formatSeconds(Math.max(0, (now - startedAt) / 1000))];
  if (totalBytes !== null && totalBytes > 0) {
    parts.push(`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`, bar(doneBytes, totalBytes));
  } else if (doneBytes > 0) parts.push(formatBytes(doneBytes));
  return parts.join("  ");
}

/** What is redrawn in place: a line for each running step, none wider than `columns` - 1. */
export function liveLines(state: BakeState, now: number, columns: number): readonly string[] {
  return state.running.slice(0, liveSteps).map((step) => {
    const right = measures(step, now);
    const room = columns - 1 - 2 - Bun.stringWidth(right);
    const left = label(step, state.steps);
    if (room < 12) return truncate(`${left}  ${right}`, columns - 1);
    const cut = truncate(left, room);
    return `${cut}${" ".repeat(room - Bun.stringWidth(cut))}  ${right}`;
  });
}

export interface LineOptions {
  readonly verbose: boolean;
  /** Running steps are drawn by `liveLines`: their start needs no line of its own. */
  readonly live: boolean;
  readonly style: Style;
}

/** The end of a shorter step is not worth a line: a log has that of its start, a terminal has drawn it. */
const notableSeconds = 1;

/** What stays of an event: `before` and `after` are the states around it. */
export function keptLines(
  event: BakeEvent,
  before: BakeState,
  after: BakeState,
  { verbose, live, style }: LineOptions,
): readonly string[] {
  switch (event.event) {
    case "planned":
      return [
        `baking ${event.nodes.length === 0 ? "layers" : event.nodes.join(", ")}: ${count(event.steps, "step")}`,
      ];
    case "cached":
      return [`${style.dim("cached")} ${event.layer}`];
    case "started": {
      const step = after.running.at(-1);
      return live || step === undefined ? [] : [label(step, after.steps)];
    }
    case "output":
      return verbose ? [style.dim(`    ${sanitize(event.line)}`)] : [];
    case "finished": {
      const step = after.finished.length > before.finished.length ? after.finished.at(-1) : undefined;
      if (step === undefined || step.seconds < notableSeconds) return [];
      return [finishedLine(step, after.steps, style)];
    }
    case "image": {
      const sizes = `${formatBytes(event.sizeBytes)}, ${formatBytes(event.mappedBytes)} of it mapped`;
      return [`${style.green("image")} ${event.node}: ${event.path} (${sizes})`];
    }
    case "undone":
      return [`${style.dim("undone")} ${sanitize(event.what)}`];
    case "warned":
      return [
        `${style.yellow("warning:")} ${event.message}`,
        ...(event.hint === null ? [] : [`${style.cyan("hint:")} ${event.hint}`]),
      ];
    case "failed":
      return verbose ? [] : before.running.flatMap((step) => lastOutput(step, before.steps, style));
    case "progress":
    case "cleaned":
    case "known-hosts":
    case "baked":
      return [];
  }
}

function finishedLine(step: FinishedStep, steps: number, style: Style): string {
  const emulated = step.emulatedSeconds > 0 ? `, ${formatSeconds(step.emulatedSeconds)} of it emulated` : "";
  const amount = step.doneBytes > 0 ? `, ${formatBytes(step.doneBytes)}` : "";
  return `${label(step, steps)} ${style.green("done")} in ${formatSeconds(step.seconds)}${emulated}${amount}`;
}

function lastOutput(step: RunningStep, steps: number, style: Style): readonly string[] {
  if (step.output.length === 0) return [];
  return [
    `${label(step, steps)} wrote last:`,
    ...step.output.map((line) => style.dim(`    ${sanitize(line)}`)),
  ];
}

/** The end of a bake for people: images, the slowest steps, what emulation cost, the most memory in use. */
export function renderSummary(state: BakeState, style: Style): string {
  if (state.baked === null) return "";
  const { seconds, emulatedSeconds, peakMemoryBytes } = state.baked;
  // several nodes are baked at a time, and end in any order
  const inOrder = state.images.toSorted(
    (one, other) => state.nodes.indexOf(one.node) - state.nodes.indexOf(other.node),
  );
  const images = inOrder.map(({ node, path, sizeBytes, mappedBytes }) => {
    return [node, formatBytes(sizeBytes), formatBytes(mappedBytes), path];
  });
  const slowest = state.finished.toSorted((one, other) => other.seconds - one.seconds).slice(0, slowestSteps);
  const steps = slowest.map((step) => {
    const emulated = step.emulatedSeconds > 0 ? formatSeconds(step.emulatedSeconds) : "-";
    return [formatSeconds(step.seconds), emulated, sanitize(`${step.layer}: ${step.title}`)];
  });
  const share = seconds > 0 ? Math.round((100 * emulatedSeconds) / seconds) : 0;
  const paragraphs = [
    `${style.bold(`baked ${count(images.length, "image")} in ${formatSeconds(seconds)}`)}, ` +
      `${share} % of it under emulation, ${formatBytes(peakMemoryBytes)} of memory at most\n`,
    images.length === 0 ? "" : formatTable(imageColumns, images),
    state.knownHosts === null ? "" : knownHostsLine(state.knownHosts),
    steps.length === 0 ? "" : formatTable(stepColumns, steps),
  ];
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n");
}

function knownHostsLine({ nodes, path }: NonNullable<BakeState["knownHosts"]>): string {
  const file = /^[\w./-]+$/.test(path) ? path : `'"${path}"'`;
  return `the host keys of ${count(nodes, "node")}, so that no first connection is on trust:\n  ssh -o UserKnownHostsFile=${file} NODE.local\n`;
}

const imageColumns = [
  { title: "node" },
  { title: "size", align: "right" },
  { title: "mapped", align: "right" },
  { title: "image" },
] as const;

const stepColumns = [
  { title: "time", align: "right" },
  { title: "emulated", align: "right" },
  { title: "slowest steps" },
] as const;

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
