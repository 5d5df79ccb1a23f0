/**
 * The kinds of failure that a caller can act on, named after sysexits(3) but for `unhealthy` and `not-verified`.
 * `cli/exit-codes.ts` gives each its number.
 */
export type FailureKind =
  | "unhealthy"
  | "usage"
  | "bad-data"
  | "no-input"
  | "unavailable"
  | "software"
  | "os"
  | "cannot-create"
  | "io"
  | "temporary"
  | "not-verified"
  | "no-permission"
  | "config"
  | "interrupted";

/**
 * A failure with a cause and a remedy.
 *
 * `message` says what failed, where and what was found, in lower case without a full stop;
 * `hint` is what to do about it, best a command that can be typed.
 */
export class BerryError extends Error {
  override readonly name = "BerryError";
  readonly kind: FailureKind;
  readonly hint: string | undefined;

  constructor(kind: FailureKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}

/** The code of a system error, such as `ENOSPC`, as errno(3) names it; null: it is none. */
export function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : null;
}

/** Whether a system error says that the file, or a folder above it, does not exist. */
export function isMissing(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** The message of anything that was thrown, followed by the messages of its causes. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.cause === undefined) return thrown.message;
  const cause = messageOf(thrown.cause);
  return thrown.message.includes(cause) ? thrown.message : `${thrown.message}: ${cause}`;
}
