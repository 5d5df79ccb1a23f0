import { basename } from "node:path";
import { truncate } from "./bake-lines.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./table.ts";
import { type CardState, rateOf, type WriteState } from "./write-state.ts";
import { printable } from "../core/printable.ts";
import { formatBytes, formatSeconds } from "../core/units.ts";
import type { WriteEvent } from "../imager/write/write-event.ts";

const barCells = 10;

/** What is redrawn in place: a line for each card that is not done, none wider than `columns` - 1. */
export function liveCardLines(state: WriteState, columns: number): readonly string[] {
  const running = state.cards.filter(({ end }) => end === null);
  const widths = {
    device: Math.max(0, ...running.map(({ device }) => device.length)),
    image: Math.max(0, ...running.map((card) => imageName(card).length)),
  };
  return running.map((card) => {
    const name = `${card.device.padEnd(widths.device)}  ${imageName(card).padEnd(widths.image)}`;
    return truncate(`${name}  ${measures(card)}`, columns - 1);
  });
}

function imageName({ image }: Pick<CardState, "image">): string {
  return printable(basename(image));
}

function measures(card: CardState): string {
  const { phase, doneBytes, totalBytes, stalledSeconds } = card;
  const words: string[] = [(phase ?? "opening").padEnd("comparing".length)];
  if (phase !== null && totalBytes > 0)
    words.push(bar(doneBytes, totalBytes), amounts(doneBytes, totalBytes));
  if (stalledSeconds > 0) words.push(`no answer for ${formatSeconds(stalledSeconds)}`);
  else words.push(...pace(card));
  return words.join("  ");
}

function bar(doneBytes: number, totalBytes: number): string {
  const share = Math.min(1, doneBytes / totalBytes);
  const filled = Math.floor(share * barCells);
  const percent = `${Math.floor(share * 100)} %`.padStart(6);
  return `[${"#".repeat(filled)}${".".repeat(barCells - filled)}]${percent}`;
}

function amounts(doneBytes: number, totalBytes: number): string {
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
}

function pace(card: CardState): string[] {
  const rate = rateOf(card);
  if (rate === null || rate <= 0 || card.totalBytes <= card.doneBytes) return [];
  const left = (card.totalBytes - card.doneBytes) / rate;
  return [`${formatBytes(rate)}/s`, `${formatSeconds(left)} left`];
}

export interface CardLineOptions {
  /** Running cards are drawn by `liveCardLines`: phases and stalls need no line of their own. */
  readonly live: boolean;
  readonly style: Style;
}

/** What stays of an event; `before` and `after` are the states around it. */
export function keptCardLines(
  event: WriteEvent,
  before: WriteState,
  { live, style }: CardLineOptions,
): readonly string[] {
  switch (event.event) {
    case "card": {
      if (live) return [];
      const { image, device, model, writeBytes } = event;
      const place = [device, printable(model)].filter((word) => word !== "").join(", ");
      return [`${formatBytes(writeBytes)} of ${imageName({ image })} go to ${place}`];
    }
    case "progress": {
      const card = before.cards.find(({ device }) => device === event.device);
      if (live || card === undefined || card.phase === event.phase) return [];
      const amount = event.totalBytes > 0 ? ` ${formatBytes(event.totalBytes)}` : "";
      return [`${event.device}: ${event.phase}${amount}`];
    }
    case "stalled":
      return live
        ? []
        : [
            `${event.device}: no answer for ${formatSeconds(event.seconds)} while ${event.phase}; waiting for the card`,
          ];
    case "warned":
      return [
        `${style.yellow("warning:")} ${event.device}: ${event.message}`,
        ...(event.hint === null ? [] : [`${style.cyan("hint:")} ${event.hint}`]),
      ];
    case "verified": {
      const kept = event.keptBytes > 0 ? `${formatBytes(event.keptBytes)} were there already, ` : "";
      return [
        `${style.green("whole")} ${event.device}: ${kept}${formatBytes(event.writtenBytes)} written, read back and compared; ` +
          "it may be taken out",
      ];
    }
    case "failed":
      return [
        `${style.red("failed")} ${event.message}`,
        ...(event.hint === null ? [] : [`${style.cyan("hint:")} ${event.hint}`]),
      ];
    case "finished":
      return [];
  }
}

/** The end of writing for people: a row for each card. */
export function renderCardSummary(state: WriteState, style: Style): string {
  if (state.finished === null) return "";
  const { written, failed, seconds } = state.finished;
  const head = [
    `${written} ${written === 1 ? "card" : "cards"} written and verified`,
    ...(failed > 0 ? [`${failed} not`] : []),
  ].join(", ");
  return `${style.bold(`${head}, in ${formatSeconds(seconds)}`)}\n\n${formatTable(columns, state.cards.map(row))}`;
}

const columns = [
  { title: "device" },
  { title: "image" },
  { title: "kept", align: "right" },
  { title: "written", align: "right" },
  { title: "writing", align: "right" },
  { title: "reading back", align: "right" },
  { title: "result" },
] as const;

function row(card: CardState): string[] {
  const name = [card.device, imageName(card)];
  if (card.end?.event !== "verified") return [...name, "-", "-", "-", "-", `not finished: ${resultOf(card)}`];
  const { keptBytes, writtenBytes, verifiedBytes, writeSeconds, verifySeconds } = card.end;
  return [
    ...name,
    keptBytes > 0 ? formatBytes(keptBytes) : "-",
    formatBytes(writtenBytes),
    timed(writtenBytes, writeSeconds),
    timed(verifiedBytes, verifySeconds),
    "may be taken out",
  ];
}

function resultOf({ end }: CardState): string {
  return end?.event === "failed" ? end.kind : "unknown";
}

function timed(bytes: number, seconds: number): string {
  if (bytes === 0 || seconds <= 0) return "-";
  return `${formatSeconds(seconds)} (${formatBytes(bytes / seconds)}/s)`;
}
