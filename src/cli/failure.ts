import { BerryError, codeOf, messageOf, type FailureKind } from "../core/errors.ts";

/** What went wrong, as it is told: on stderr for people, with `--json` as an event on stdout. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly hint: string | null;
  /** Where a fault of berry itself came from; null for all that berry foresaw. */
  readonly trace: string | null;
}

/** errno(3) names that a user can act on. */
const systemErrors: Readonly<Record<string, FailureKind>> = {
  EACCES: "no-permission",
  EPERM: "no-permission",
  ENOENT: "no-input",
  ENOTDIR: "no-input",
  EISDIR: "no-input",
  ENOSPC: "cannot-create",
  EDQUOT: "cannot-create",
  EROFS: "cannot-create",
  EEXIST: "cannot-create",
  EIO: "io",
  EBUSY: "temporary",
  EAGAIN: "temporary",
  EMFILE: "os",
  ENFILE: "os",
  ENOMEM: "os",
};

/** Sorts whatever was thrown: foreseen, interrupted, the system's, or a fault of berry. */
export function toFailure(thrown: unknown, signal: AbortSignal): Failure {
  if (signal.aborted && isAbort(thrown, signal)) {
    const cause = signal.reason instanceof BerryError ? signal.reason : undefined;
    return {
      kind: cause?.kind ?? "interrupted",
      message: cause?.message ?? "interrupted",
      hint: cause?.hint ?? null,
      trace: null,
    };
  }
  if (thrown instanceof BerryError) {
    return { kind: thrown.kind, message: messageOf(thrown), hint: thrown.hint ?? null, trace: null };
  }
  const known = systemErrors[codeOf(thrown) ?? ""];
  if (known !== undefined)
    return { kind: known, message: messageOf(thrown), hint: null, trace: traceOf(thrown) };
  return {
    kind: "software",
    message: `a fault in berry: ${messageOf(thrown)}`,
    hint: "please report it with what --verbose prints",
    trace: traceOf(thrown),
  };
}

function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (thrown === signal.reason) return true;
  if (!(thrown instanceof Error)) return false;
  return thrown.name === "AbortError" || (thrown.cause !== undefined && isAbort(thrown.cause, signal));
}

function traceOf(thrown: unknown): string | null {
  return thrown instanceof Error ? (thrown.stack ?? null) : null;
}
