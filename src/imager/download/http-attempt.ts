import { ofetch, type FetchOptions } from "ofetch";
import { BerryError, messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { formatSeconds } from "../../core/units.ts";
import { judge, retryDelayMilliseconds, type ResponseHead } from "./decisions.ts";

export interface Retry {
  readonly kind: "retry";
  readonly reason: string;
  /** What the server asks for; null: as long as the back-off says. */
  readonly waitMilliseconds: number | null;
}
export type Outcome = { readonly kind: "ended" } | Retry;

/** Takes a body, chunk by chunk. */
export interface Sink extends AsyncDisposable {
  write(chunk: Uint8Array): Promise<void>;
}

export interface Patience {
  readonly clock: Clock;
  /** 0 to 1, as Math.random gives it. */
  readonly random: () => number;
  /** An attempt ends when no byte has come for so long. */
  readonly stallMilliseconds: number;
  /** So many failures in a row, none of which brought a new byte, are final. */
  readonly attempts: number;
  readonly onRetry: (reason: string, waitMilliseconds: number) => void;
}

/**
 * One GET. `accept` sees the head and either gives the sink for the body or ends the attempt.
 * Whatever the network does is an outcome; what `accept` and the sink throw is thrown.
 */
export async function attempt(
  url: string,
  headers: Readonly<Record<string, string>>,
  accept: (head: ResponseHead) => Promise<Sink | Outcome>,
  patience: Patience,
  signal: AbortSignal,
): Promise<Outcome> {
  await using watch = watchForStall(patience);
  const either = AbortSignal.any([signal, watch.signal]);
  const failed = (error: unknown): Retry => {
    signal.throwIfAborted();
    return {
      kind: "retry",
      reason: watch.signal.aborted ? messageOf(watch.signal.reason) : causeOf(error),
      waitMilliseconds: null,
    };
  };

  let response: Response;
  try {
    response = await get(url, headers, either);
  } catch (error) {
    return failed(error);
  }
  watch.touch();
  const reader = response.body?.getReader();
  const onAbort = () => void reader?.cancel(either.reason).catch(() => undefined);
  either.addEventListener("abort", onAbort, { once: true });
  try {
    const accepted = await accept({ status: response.status, header: (name) => response.headers.get(name) });
    if ("kind" in accepted) return accepted;
    await using sink = accepted;
    for (;;) {
      let chunk;
      try {
        chunk = await reader?.read();
        either.throwIfAborted();
      } catch (error) {
        return failed(error);
      }
      if (chunk === undefined || chunk.done) return { kind: "ended" };
      watch.touch();
      await sink.write(chunk.value);
      watch.touch();
    }
  } finally {
    either.removeEventListener("abort", onAbort);
    await reader?.cancel().catch(() => undefined);
  }
}

/** Bytes as they lie on the server: no content coding, which would shift the ranges. */
async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  const options: FetchOptions<"stream"> & { readonly decompress: false } = {
    headers: { "user-agent": "berry", "accept-encoding": "identity", ...headers },
    responseType: "stream",
    ignoreResponseError: true,
    retry: false,
    decompress: false,
    signal,
  };
  return ofetch.raw(url, options);
}

/** ofetch repeats method and URL in front of what the network said, Bun adds advice for programmers behind it. */
function causeOf(error: unknown): string {
  const cause = messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
  return cause.replace(/\. For more information, pass .*$/s, "");
}

interface StallWatch extends AsyncDisposable {
  /** Aborts when nothing was touched for too long. */
  readonly signal: AbortSignal;
  touch(): void;
}

function watchForStall({ clock, stallMilliseconds }: Patience): StallWatch {
  const stalled = new AbortController();
  const over = new AbortController();
  let touchedAt = clock.now();
  const watching = (async () => {
    for (;;) {
      const quiet = clock.now() - touchedAt;
      if (quiet >= stallMilliseconds) {
        stalled.abort(new Error(`no byte came for ${formatSeconds(stallMilliseconds / 1_000)}`));
        return;
      }
      await clock.sleep(stallMilliseconds - quiet, over.signal);
    }
  })();
  const watched = watching.catch((error: unknown) => {
    if (!over.signal.aborted) stalled.abort(error);
  });
  return {
    signal: stalled.signal,
    touch() {
      touchedAt = clock.now();
    },
    async [Symbol.asyncDispose]() {
      over.abort(new Error("the attempt is over"));
      await watched;
    },
  };
}

/**
 * Repeats `once` until it ends, with a longer pause after every failure.
 *
 * @param reached how many bytes are there now: a failure that brought new ones starts the count anew
 * @throws BerryError `unavailable` after too many failures in a row
 */
export async function persist(
  url: string,
  once: () => Promise<Outcome>,
  reached: () => Promise<number>,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let furthest = await reached();
  for (;;) {
    signal.throwIfAborted();
    const outcome = await once();
    if (outcome.kind === "ended") return;
    const now = await reached();
    failures = now > furthest ? 1 : failures + 1;
    furthest = Math.max(furthest, now);
    if (failures >= patience.attempts) {
      throw new BerryError(
        "unavailable",
        `cannot download ${url}: ${outcome.reason} (${failures} attempts)`,
        {
          hint: "check the network and run it again: what has arrived is kept",
        },
      );
    }
    const wait = outcome.waitMilliseconds ?? retryDelayMilliseconds(failures, patience.random());
    patience.onRetry(outcome.reason, wait);
    await patience.clock.sleep(wait, signal);
  }
}

/**
 * A small file, such as a signature, into memory.
 *
 * @throws BerryError `bad-data` when it is longer than `maxBytes`
 */
export async function fetchBytes(
  url: string,
  maxBytes: number,
  patience: Patience,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let byteCount = 0;
  const accept = async (head: ResponseHead): Promise<Sink | Outcome> => {
    const verdict = judge(url, head, null, patience.clock.now());
    switch (verdict.kind) {
      case "restart":
        chunks = [];
        byteCount = 0;
        return {
          async write(chunk) {
            byteCount += chunk.length;
            if (byteCount > maxBytes) throw tooLarge(url, maxBytes);
            chunks.push(chunk);
          },
          async [Symbol.asyncDispose]() {},
        };
      case "retry":
        return verdict;
      case "fail":
        throw verdict.error;
      case "append":
      case "complete":
      case "discard":
        return {
          kind: "retry",
          reason: "the server sent a part that nobody asked for",
          waitMilliseconds: null,
        };
    }
  };
  await persist(
    url,
    () => attempt(url, {}, accept, patience, signal),
    async () => 0,
    patience,
    signal,
  );
  return new Uint8Array(Buffer.concat(chunks));
}

export function tooLarge(url: string, maxBytes: number): BerryError {
  return new BerryError(
    "bad-data",
    `${url} is larger than ${maxBytes} bytes, which is the most that is expected`,
    {
      hint: "check the address: it may answer with something else",
    },
  );
}
