import type { Row } from "../row.ts";
import { nodeNames } from "./node-names.ts";
import type { Rendered } from "./rendered.ts";

/** The names alone, one a line, for a shell's loop. */
export function renderNames(rows: readonly Row[]): Rendered {
  const { kept, leftOut } = nodeNames(rows);
  return { text: kept.map(({ name }) => `${name}\n`).join(""), leftOut };
}
