import type { Clock } from "../../core/ports.ts";

/** Something to wait for that may come before its time. */
export interface Alarm {
  /** Ends the wait at once, or the next one where nobody waits. */
  ring(): void;
  /** Until it rings, so long has passed, or the signal is aborted; never rejects. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export function createAlarm(clock: Clock): Alarm {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    async wait(milliseconds, signal) {
      const ended = new AbortController();
      const time = clock.sleep(milliseconds, AbortSignal.any([signal, ended.signal]));
      await Promise.race([rung.promise, time.catch(() => undefined)]);
      ended.abort();
      rung = Promise.withResolvers<void>();
    },
  };
}
