import type { FandEvent } from "./event.ts";
import { type Posts, round } from "./round.ts";

/** A clock that never jumps, whatever becomes of the time of day, and stands still while the machine sleeps. */
export interface SteadyClock {
  /** Seconds. */
  now(): number;
  /** Resolves early, and without an error, when the signal aborts. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

export interface Listeners {
  onEvents(events: readonly FandEvent[]): void;
  /** Before every round. */
  onBegin(): void;
  /** After every round; `isWhole` where it was done from end to end. */
  onEnd(isWhole: boolean): void;
}

/** Rounds at a steady pace until the signal aborts, the first one at once. A round that comes late is not made up for. */
export async function serve(
  posts: Posts,
  intervalSeconds: number,
  clock: SteadyClock,
  { onEvents, onBegin, onEnd }: Listeners,
  signal: AbortSignal,
): Promise<void> {
  let last = clock.now();
  let due = last;
  while (!signal.aborted) {
    const now = clock.now();
    onBegin();
    const { events, isWhole } = round(posts, now - last);
    last = now;
    if (events.length > 0) onEvents(events);
    onEnd(isWhole);
    due = Math.max(due + intervalSeconds, now);
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(due - clock.now(), signal);
  }
}
