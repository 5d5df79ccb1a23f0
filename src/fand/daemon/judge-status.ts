import type { FandStatus } from "./parse-metrics.ts";

/** How the daemon and what it drives are. */
export interface Health {
  /** `stale`: nothing of it is true any more, as the daemon is dead, hangs, or cannot drive its fans. */
  readonly state: "healthy" | "unhealthy" | "stale";
  /** Since the last whole round; null: there was none. */
  readonly ageSeconds: number | null;
  /** What someone should look after, in words; empty where it is healthy. */
  readonly ailments: readonly string[];
}

/** The metrics are written every five seconds. */
const patienceSeconds = 15;

/** @param wallSeconds since the epoch */
export function judgeStatus(status: FandStatus, wallSeconds: number): Health {
  const { updatedSeconds, sensors, fans, intervalSeconds } = status;
  const ailments = [
    ...fans.filter(({ isLost }) => isLost).map(({ name }) => `fan ${name} does not follow`),
    ...fans.filter(({ isStalled }) => isStalled).map(({ name }) => `fan ${name} does not turn`),
    ...sensors
      .filter(({ temperature }) => temperature === null)
      .map(({ name }) => `sensor ${name} is in doubt`),
  ];
  if (updatedSeconds === null)
    return { state: "stale", ageSeconds: null, ailments: ["no round was whole yet", ...ailments] };
  const ageSeconds = Math.max(0, wallSeconds - updatedSeconds);
  // a time of day that was set back is as bad
  const isStale = Math.abs(wallSeconds - updatedSeconds) > Math.max(patienceSeconds, 3 * intervalSeconds);
  return {
    state: isStale ? "stale" : ailments.length > 0 ? "unhealthy" : "healthy",
    ageSeconds,
    ailments,
  };
}
