import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../core/ports.ts";

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    await sleep(milliseconds, undefined, { signal });
  },
};
