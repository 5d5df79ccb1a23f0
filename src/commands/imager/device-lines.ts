import type { Style } from "../../cli/style.ts";
import { formatTable } from "../../cli/table.ts";
import { printable } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { confirmationPhrase } from "../../imager/disks/choose-disk.ts";
import type { Disk, Verdict } from "../../imager/disks/disk.ts";
import { commandLine } from "../../imager/script/quote.ts";

export interface JudgedDisk {
  readonly disk: Disk;
  readonly verdict: Verdict;
}

const ranks: Readonly<Record<Verdict["verdict"], number>> = { writable: 0, confirm: 1, refused: 2 };

/** Writable ones first, then those to be confirmed; of the refused ones, cards first and what holds the system last. */
export function inOrder(disks: readonly JudgedDisk[]): JudgedDisk[] {
  return disks.toSorted((one, other) => rank(one) - rank(other));
}

function rank({ disk, verdict }: JudgedDisk): number {
  const isCard = disk.isRemovable || disk.kind === "sd-card";
  const isSystem = disk.uses.some(({ use }) => use === "holds");
  return ranks[verdict.verdict] * 10 + (isSystem ? 4 : 0) + (isCard ? 0 : 1);
}

/** Not what is never written to anyway: volumes, RAIDs, snaps, drives of other kinds. */
export function isWorthShowing({ disk, verdict }: JudgedDisk): boolean {
  switch (disk.kind) {
    case "disk":
    case "sd-card":
    case "emmc":
      return true;
    case "loop":
      return verdict.verdict !== "refused";
    case "emmc-boot":
    case "optical":
    case "floppy":
    case "virtual":
    case "part":
      return false;
  }
}

const indent = "  ";

/**
 * A row for each disk, and below it what is on it, why it may not be written to and what would change that.
 *
 * @param columns of the terminal; null: lines may be of any length
 */
export function deviceLines(judged: readonly JudgedDisk[], columns: number | null, style: Style): string {
  const rows = judged.map(({ disk, verdict }) => [
    printable(disk.path),
    disk.identity.sizeBytes > 0 ? formatBytes(disk.identity.sizeBytes) : "-",
    connection(disk),
    answer(verdict, style),
    disk.kind === "loop" ? "" : printable(disk.model),
  ]);
  const titles = [
    { title: "device" },
    { title: "size", align: "right" as const },
    { title: "bus" },
    { title: "write" },
    { title: "model" },
  ];
  const [head = "", ...lines] = formatTable(titles, rows).trimEnd().split("\n");
  if (judged.length === 0) return "";
  const blocks = judged.map(({ disk, verdict }, index) => {
    const details = detailsOf(disk, verdict).flatMap(({ text, isRemedy }) =>
      wrap(text, columns, `${indent}${isRemedy ? indent : ""}`).map((line) =>
        isRemedy ? style.cyan(line) : line,
      ),
    );
    return [...wrapRow(lines[index] ?? "", columns), ...details].map((line) => `${line}\n`).join("");
  });
  return [...wrapRow(head, columns).map((line) => `${line}\n`), ...blocks].join("");
}

/** A model that does not fit goes to a line of its own; where nothing fits, words follow each other. */
function wrapRow(line: string, columns: number | null): string[] {
  if (columns === null || Bun.stringWidth(line) <= columns) return [line];
  const at = line.lastIndexOf("  ");
  const cells = line.slice(0, at).trimEnd();
  const rows = Bun.stringWidth(cells) <= columns ? [cells] : wrap(cells.replaceAll(/ +/g, " "), columns, "");
  return [...rows, ...wrap(line.slice(at + 2), columns, indent)];
}

function connection({ kind, bus, isRemovable }: Disk): string {
  if (kind === "sd-card") return "SD slot";
  if (kind === "emmc") return "eMMC";
  return isRemovable ? `${bus}, removable` : bus;
}

function answer(verdict: Verdict, style: Style): string {
  switch (verdict.verdict) {
    case "writable":
      return style.green("yes");
    case "confirm":
      return style.yellow("confirm");
    case "refused":
      return style.red("no");
  }
}

interface Detail {
  readonly text: string;
  readonly isRemedy: boolean;
}

function detailsOf(disk: Disk, verdict: Verdict): Detail[] {
  const on = disk.contents
    .map(({ device, type, label }) => {
      const name = device === disk.name ? "" : `${printable(device)} `;
      return `${name}${printable(type)}${label === "" ? "" : ` "${printable(label)}"`}`;
    })
    .join(", ");
  const content = on === "" ? [] : [{ text: `has ${on}`, isRemedy: false }];
  switch (verdict.verdict) {
    case "writable":
      return content;
    case "confirm":
      return [
        ...content,
        { text: verdict.reason, isRemedy: false },
        { text: howToConfirm(disk), isRemedy: true },
      ];
    case "refused":
      return [
        ...content,
        ...verdict.reasons.flatMap(({ reason, remedy }) => [
          { text: reason, isRemedy: false },
          ...(remedy === null ? [] : [{ text: remedy, isRemedy: true }]),
        ]),
      ];
  }
}

/** By its link, the model has to be typed; where it has none, it is part of the command. */
function howToConfirm(disk: Disk): string {
  const [link] = disk.byId;
  const target =
    link === undefined ? [printable(disk.path), "--yes-really", confirmationPhrase(disk)] : [printable(link)];
  return commandLine(["berry", "imager", "write", "NODE", ...target]);
}

/** Lines no longer than the terminal; words longer than that are broken. */
function wrap(text: string, columns: number | null, margin: string): string[] {
  if (columns === null) return [`${margin}${text}`];
  const width = Math.max(16, columns - margin.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((each) => pieces(each, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (Bun.stringWidth(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map((each) => `${margin}${each}`);
}

function pieces(word: string, width: number): string[] {
  const found: string[] = [];
  let piece = "";
  for (const letter of word) {
    if (Bun.stringWidth(piece + letter) > width) {
      found.push(piece);
      piece = "";
    }
    piece += letter;
  }
  return [...found, piece];
}

/** Where nothing may be written as it is, what is most likely behind it; null: something may. */
export function whyNothing(judged: readonly JudgedDisk[]): { message: string; hint: string } | null {
  if (judged.some(({ verdict }) => verdict.verdict === "writable")) return null;
  const cards = judged.filter(isCard);
  const withMedium = cards.filter(({ disk }) => disk.identity.sizeBytes > 0);
  const names = (of: readonly JudgedDisk[]): string => of.map(({ disk }) => disk.path).join(", ");
  const message = "no card is ready to be written";
  const mounted = withMedium.filter(
    ({ disk }) =>
      disk.uses.some(({ use }) => use === "mounted") && !disk.uses.some(({ use }) => use === "holds"),
  );
  if (mounted.length > 0)
    return {
      message: `${message}: ${names(mounted)} is mounted, maybe by the desktop`,
      hint: "unmount it as is told above; ejecting would take the card away",
    };
  if (withMedium.length > 0)
    return { message, hint: `what speaks against ${names(withMedium)} is told above` };
  if (cards.length > 0)
    return { message: `${message}: no card is in ${names(cards)}`, hint: "put one in, and look again" };
  return {
    message: `${message}: no card reader and no stick is connected`,
    hint: "put a card in; if it does not show up here, sudo dmesg tells what the kernel makes of it",
  };
}

/** What people mean by a card, with a medium in it or without. */
export function isCard({ disk }: JudgedDisk): boolean {
  return (
    disk.kind === "sd-card" || (disk.kind === "disk" && disk.isRemovable && ["usb", "mmc"].includes(disk.bus))
  );
}
