import type { FailureKind } from "../../core/errors.ts";

/** One thing that was looked at. */
export type Finding =
  | { readonly severity: "ok"; readonly what: string }
  /** Works, though not in every case, or not as well as it could. */
  | (Ailment & { readonly severity: "warning" })
  /** Something is missing. `kind` decides on the exit code. */
  | (Ailment & { readonly severity: "problem"; readonly kind: FailureKind });

interface Ailment {
  /** In lower case, without a full stop: what was found, with values. */
  readonly what: string;
  /** What mends it, best a command that can be typed. */
  readonly remedy: string;
  /** The line of config.txt that mends it; null: none does. */
  readonly configLine: string | null;
}

export function ok(what: string): Finding {
  return { severity: "ok", what };
}

export function warning(what: string, remedy: string, configLine: string | null = null): Finding {
  return { severity: "warning", what, remedy, configLine };
}

export function problem(
  kind: FailureKind,
  what: string,
  remedy: string,
  configLine: string | null = null,
): Finding {
  return { severity: "problem", kind, what, remedy, configLine };
}
