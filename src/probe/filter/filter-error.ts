import { BerryError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";

/** Where in an expression something is wrong: from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The error that shows the expression, and marks the place below it. */
export function filterError(
  expression: string,
  { start, end }: Span,
  problem: string,
  hint: string,
): BerryError {
  const width = (text: string) => Array.from(printable(text)).length;
  const marks = "^".repeat(Math.max(1, width(expression.slice(start, end))));
  const lines = [
    `--filter: ${problem}`,
    `  ${printable(expression)}`,
    `  ${" ".repeat(width(expression.slice(0, start)))}${marks}`,
  ];
  return new BerryError("usage", lines.join("\n"), { hint });
}
