import type { Row } from "../row.ts";

/** A text for another program. */
export interface Rendered {
  readonly text: string;
  /** Who is not in it and why, fit for a terminal. */
  readonly leftOut: readonly string[];
}

/** What berry.toml says of a node beside its row. */
export interface NodeUser {
  readonly name: string;
  readonly user: string;
}

export type Render = (rows: readonly Row[], users: readonly NodeUser[]) => Rendered;
