import type { Answer, Health } from "./health.ts";
import type { Address } from "./sighting.ts";

/** One node, as everything that is known of it says: what was found, what it answered, and what berry.toml expects. */
export interface Row {
  /** As berry.toml calls it, else its host name. */
  readonly name: string;
  readonly state: State;
  /** Whether berry.toml names it; null: there is no berry.toml. */
  readonly isKnown: boolean | null;
  /** Whether more speaks for it than an announcement: it has answered, or berry.toml or the user names it. */
  readonly isVouched: boolean;
  readonly host: string | null;
  readonly addresses: readonly Address[];
  readonly port: number;
  readonly serial: string | null;
  readonly model: string | null;
  readonly role: string | null;
  readonly version: string | null;
  readonly health: Health | null;
  readonly answer: Answer | null;
  /** What is wrong with a node that lives, worst first: `hot: 82 °C`, `fan0 stands still`. */
  readonly ailments: readonly Ailment[];
  /** Such as: another board calls itself pi1, too. */
  readonly warnings: readonly string[];
}

export type State =
  /** It answers. */
  | "alive"
  /** It answers, and berry.toml does not know it. */
  | "unknown"
  /** Something announced it, or the user named it, and it does not answer. */
  | "dead"
  /** berry.toml names it, and nobody has heard of it. */
  | "missing";

export interface Ailment {
  readonly severity: "warning" | "critical";
  readonly what: string;
}
