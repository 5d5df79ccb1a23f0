import type { Check } from "../../config/problem.ts";

/** Somebody who can be asked. Every question rejects with a BerryError `interrupted` when it is not answered. */
export interface Asker {
  /** Asks until `check` finds nothing wrong; the suggestion is taken for an empty answer. */
  text(question: string, suggestion: string, check: Check): Promise<string>;
  choose(question: string, options: readonly string[]): Promise<string>;
  /** As `text`, without showing what is typed. */
  secret(question: string, check: Check): Promise<string>;
}
