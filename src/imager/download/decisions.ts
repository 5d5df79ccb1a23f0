import { BerryError } from "../../core/errors.ts";

/** What is known of a half downloaded file; kept beside it. */
export interface PartRecord {
  readonly url: string;
  /** Strong ETag or Last-Modified of the response that the part came from; null: it cannot be resumed. */
  readonly validator: string | null;
  /** null: the server did not say. */
  readonly totalBytes: number | null;
}

export interface ResponseHead {
  readonly status: number;
  header(name: string): string | null;
}

/** What to do with a response, before its body is read. */
export type Verdict =
  /** The body continues the part at `offset`. */
  | { readonly kind: "append"; readonly offset: number; readonly record: PartRecord }
  /** The body is the whole file: whatever was there goes. */
  | { readonly kind: "restart"; readonly record: PartRecord }
  /** Nothing is missing. */
  | { readonly kind: "complete" }
  /** The part is of no use: remove it and ask again from zero. */
  | { readonly kind: "discard"; readonly reason: string }
  | { readonly kind: "retry"; readonly reason: string; readonly waitMilliseconds: number | null }
  | { readonly kind: "fail"; readonly error: BerryError };

const firstDelayMilliseconds = 1_000;
const longestDelayMilliseconds = 30_000;
const longestRetryAfterMilliseconds = 120_000;

/**
 * Headers that ask for the rest of a part: none when it cannot be resumed.
 * If-Range makes the server send the whole file when it has changed (RFC 9110, section 13.1.5).
 */
export function resumeHeaders(record: PartRecord | null, partBytes: number): Record<string, string> {
  if (record === null || record.validator === null || partBytes === 0) return {};
  return { range: `bytes=${partBytes}-`, "if-range": record.validator };
}

/** A part is of use only for the URL that it came from, and no longer than the file. */
export function isResumable(record: PartRecord | null, url: string, partBytes: number): record is PartRecord {
  if (record === null || record.url !== url || record.validator === null || partBytes === 0) return false;
  return record.totalBytes === null || partBytes <= record.totalBytes;
}

/**
 * Decides by status and headers.
 *
 * @param resumed what was asked for with Range; null: the whole file
 * @param now milliseconds since the epoch, for a Retry-After that is a date
 */
export function judge(
  url: string,
  head: ResponseHead,
  resumed: { readonly record: PartRecord; readonly partBytes: number } | null,
  now: number,
): Verdict {
  const { status } = head;
  if (status === 206) return judgePartial(url, head, resumed);
  if (status === 416 && resumed !== null) return judgeUnsatisfiable(head, resumed);
  if (status === 200) {
    return {
      kind: "restart",
      record: { url, validator: validatorOf(head), totalBytes: contentLength(head) },
    };
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return {
      kind: "retry",
      reason: `the server answered ${status}`,
      waitMilliseconds: retryAfter(head.header("retry-after"), now),
    };
  }
  return { kind: "fail", error: refusal(url, status) };
}

function judgePartial(
  url: string,
  head: ResponseHead,
  resumed: { readonly record: PartRecord; readonly partBytes: number } | null,
): Verdict {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(head.header("content-range") ?? "");
  if (resumed === null || range === null || Number(range[1]) !== resumed.partBytes) {
    return { kind: "discard", reason: "the server sent another part than was asked for" };
  }
  const totalBytes = range[3] === "*" ? resumed.record.totalBytes : Number(range[3]);
  const { record } = resumed;
  const validator = validatorOf(head);
  const hasChanged =
    (validator !== null && sameKind(validator, record.validator) && validator !== record.validator) ||
    (record.totalBytes !== null && totalBytes !== record.totalBytes);
  if (hasChanged) return { kind: "discard", reason: "the file changed on the server" };
  return {
    kind: "append",
    offset: resumed.partBytes,
    record: { url, validator: record.validator, totalBytes },
  };
}

function judgeUnsatisfiable(
  head: ResponseHead,
  resumed: { readonly record: PartRecord; readonly partBytes: number },
): Verdict {
  const total = /^bytes \*\/(\d+)$/.exec(head.header("content-range") ?? "")?.[1];
  if (total !== undefined && Number(total) === resumed.partBytes) return { kind: "complete" };
  return { kind: "discard", reason: "the server has less than the part that is here" };
}

/** Weak ETags do not promise equal bytes: they are passed over. */
function validatorOf(head: ResponseHead): string | null {
  const etag = head.header("etag");
  if (etag !== null && etag.startsWith('"')) return etag;
  return head.header("last-modified");
}

function sameKind(a: string, b: string | null): boolean {
  return b !== null && a.startsWith('"') === b.startsWith('"');
}

function contentLength(head: ResponseHead): number | null {
  const value = head.header("content-length");
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}

/** Retry-After is seconds or a date (RFC 9110, section 10.2.3); at most two minutes are granted. */
function retryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  if (Number.isNaN(wait)) return null;
  return Math.min(Math.max(wait, 0), longestRetryAfterMilliseconds);
}

/**
 * Doubles with every failure in a row, from 1 s to 30 s; the jitter takes up to half of it away,
 * so that many clients do not come back at once.
 *
 * @param failures in a row, 1 or more
 * @param random 0 to 1
 */
export function retryDelayMilliseconds(failures: number, random: number): number {
  const delay = Math.min(firstDelayMilliseconds * 2 ** (failures - 1), longestDelayMilliseconds);
  return Math.round(delay * (1 - random / 2));
}

function refusal(url: string, status: number): BerryError {
  switch (status) {
    case 401:
    case 403:
      return new BerryError("no-permission", `${url}: the server refuses it (${status})`, {
        hint: "try another mirror, or open the address in a browser to see why",
      });
    case 404:
    case 410:
      return new BerryError("no-input", `${url}: the server does not have it (${status})`, {
        hint: "check the address for a typing error; the file may have been moved or renamed",
      });
  }
  return new BerryError("unavailable", `${url}: the server answered ${status}`, {
    hint: "open the address in a browser to see why, or try another mirror",
  });
}
