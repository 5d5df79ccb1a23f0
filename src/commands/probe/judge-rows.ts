import { BerryError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import type { Row } from "../../probe/row.ts";
import type { Format } from "./find-options.ts";

/** Whether it answers: whoever berry.toml does not know lives, too. */
function isLiving({ state }: Row): boolean {
  return state === "alive" || state === "unknown";
}

/** How many live of those that `--expect` means: of berry.toml, where there is one, each name once. */
export function countExpected(rows: readonly Row[]): number {
  const living = rows.filter(({ state }) => state === "alive");
  const known = living.filter(({ isKnown }) => isKnown === true);
  return living.length - known.length + new Set(known.map(({ name }) => name)).size;
}

/** Whether it is known where anybody is, of those that may go into a file of that format. */
export function isAnybodyFound(rows: readonly Row[], format: Format): boolean {
  return rows.some((row) => row.addresses.length > 0 && isWorthWriting(row, format));
}

/** An announcement alone empties no file that other programs believe; dead nodes are news to Prometheus. */
function isWorthWriting(row: Row, format: Format): boolean {
  switch (format) {
    case "table":
    case "wide":
    case "json":
    case "ndjson":
      return true;
    case "prom-sd":
      return row.isVouched;
    case "hosts":
    case "ssh-config":
    case "ansible":
    case "names":
      return isLiving(row);
  }
}

/**
 * What the exit code says of the rows.
 * @param all every row @param shown those that the filter lets pass
 * @returns null: all is well
 */
export function judgeRows(
  all: readonly Row[],
  shown: readonly Row[],
  expect: number | null,
): BerryError | null {
  if (expect !== null) {
    const living = countExpected(shown);
    if (living >= expect) return null;
    return new BerryError("temporary", `${living} of ${expect} expected nodes live`, {
      hint: living === 0 ? howToFind : "a longer --timeout waits longer",
    });
  }
  if (all.every(({ state }) => state === "missing"))
    return new BerryError("unavailable", "no node was found", { hint: howToFind });
  const ill = shown.filter((row) => !isLiving(row) || isCritical(row));
  if (ill.length === 0) return null;
  const names = ill.map((row) => `${printable(row.name)} (${isLiving(row) ? "critical" : row.state})`);
  return new BerryError("unhealthy", `not well: ${names.join(", ")}`, {
    hint: "berry probe -o wide tells all that is known of them",
  });
}

const howToFind =
  "nodes announce themselves by avahi (berry probe announce) on the same network; --host NAME asks others, --iface NAME other interfaces";

function isCritical({ ailments }: Row): boolean {
  return ailments.some(({ severity }) => severity === "critical");
}
