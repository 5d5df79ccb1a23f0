import type { Percent } from "../units.ts";

/** What is known of whether a fan turns. */
export interface Turning {
  /** For how long it has been told to turn, and has not. */
  readonly stillSeconds: number;
  readonly isStalled: boolean;
}

export const turningBegin: Turning = { stillSeconds: 0, isStalled: false };

/** A fan that starts takes a moment; then it is kicked; then someone has to look after it. */
const kickAfterSeconds = 5;
const alarmAfterSeconds = 15;

export interface Watched {
  readonly turning: Turning;
  /** Full speed, whatever the temperature: it may shake off what holds it. */
  readonly isKicked: boolean;
  /** null: nothing new. */
  readonly news: "stalled" | "turning" | null;
}

/** @param rpm turns a minute; null: not counted, and then nothing is said @param elapsedSeconds since the last look */
export function watchTurning(
  turning: Turning,
  duty: Percent,
  rpm: number | null,
  elapsedSeconds: number,
): Watched {
  // who stands still because it was told to proves nothing
  if (rpm === null || (duty === 0 && !turning.isStalled))
    return { turning: turningBegin, isKicked: false, news: null };
  if (rpm > 0) return { turning: turningBegin, isKicked: false, news: turning.isStalled ? "turning" : null };
  const stillSeconds = turning.stillSeconds + Math.max(0, elapsedSeconds);
  const isStalled = turning.isStalled || stillSeconds >= alarmAfterSeconds;
  return {
    turning: { stillSeconds, isStalled },
    isKicked: stillSeconds >= kickAfterSeconds,
    news: isStalled && !turning.isStalled ? "stalled" : null,
  };
}
