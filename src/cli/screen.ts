import type { Output } from "./output.ts";

/**
 * A terminal shared by lines that stay and lines that are redrawn in place.
 * One screen owns stderr, so that a warning never lands in the middle of a progress bar.
 */
export interface Screen {
  readonly output: Output;
  /** Prints a line for good, above the redrawn ones. */
  print(line: string): void;
  /** Replaces the redrawn lines, each shorter than a row; `[]` removes them. Nothing happens off a terminal. */
  redraw(lines: readonly string[]): void;
}

const eraseDown = "\u001B[J";

function cursorUp(rows: number): string {
  return rows === 0 ? "" : `\u001B[${rows}A`;
}

/** @returns a screen that has drawn nothing yet */
export function createScreen(output: Output): Screen {
  let drawn: readonly string[] = [];
  const erase = () => (drawn.length === 0 ? "" : `\r${cursorUp(drawn.length)}${eraseDown}`);
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  return {
    output,
    print(line) {
      output.write(`${erase()}${line}\n${text(drawn)}`);
    },
    redraw(lines) {
      if (!output.isTerminal) return;
      if (lines.join("\n") === drawn.join("\n") && lines.length === drawn.length) return;
      output.write(`${erase()}${text(lines)}`);
      drawn = lines;
    },
  };
}
