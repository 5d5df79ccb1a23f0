import type { Output } from "./output.ts";

/** What one backend has to say of a fan on a machine. */
export type Attempt = Fit | Refusal;

export interface Fit {
  readonly fits: true;
  readonly output: Output;
  readonly warnings: readonly Warning[];
}

export interface Refusal {
  readonly fits: false;
  readonly why: string;
  /** What would make it fit; null: nothing would. */
  readonly remedy: string | null;
}

/** What works, but not in every case. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}

export function refuse(why: string, remedy: string | null): Refusal {
  return { fits: false, why, remedy };
}
