import { fullSpeed, percent, standstill } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";

/** What is seen of a fan at one moment. */
export interface CalibrationSample {
  /** Since the calibration began. */
  readonly seconds: number;
  /** Turns a minute; null: the tachometer cannot be read. */
  readonly rpm: number | null;
  /** The highest of the fan's sensors; null: at least one is in doubt. */
  readonly temperature: Celsius | null;
}

/** What a fan can do, as it was seen, without any margin. */
export interface Calibrated {
  readonly isFound: true;
  readonly fullRpm: number;
  /** The slowest duty at which it went on turning, and how fast that was. */
  readonly slowest: { readonly duty: Percent; readonly rpm: number };
  /** It turns at 0 %, too. */
  readonly neverStops: boolean;
  /** The slowest duty that set it going from a standstill, and how long that took; null: not tried to the end. */
  readonly start: { readonly duty: Percent; readonly seconds: number } | null;
}

export interface Uncalibrated {
  readonly isFound: false;
  readonly reason: "too-hot" | "in-doubt" | "no-reading" | "still" | "unsteady" | "deaf" | "out-of-time";
  /** In words, with values. */
  readonly found: string;
}

export type Calibration = Generator<Percent, Calibrated | Uncalibrated, CalibrationSample>;

/** A calibration is over then, whatever the fan does. */
export const calibrationSeconds = 60;
/** The last answer comes a little earlier, as a sample may be late. */
const budgetSeconds = calibrationSeconds - 2;

/** Faster than any fan that fits a Pi: a tachometer that counts noise. */
const fastestRpm = 25_000;
/** How much of its speed a fan at a steady duty may lose from one second to the next. */
const steadyShare = 0.15;
/** A fan takes a moment to follow, and the kernel counts turns once a second. */
const followSeconds = 2.5;
const longestFollowSeconds = 6;
/** So long without a turn is a standstill. */
const stillSeconds = 1.5;
const blindSeconds = 1.5;
const steadySeconds = 1.25;

const descent = [40, 30, 20, 10, 0].map(percent);
/** How near the slowest duty is looked for. */
const resolution = 5;
const startStep = 10;

/**
 * Finds out how slowly a fan turns and at which duty it starts: takes a sample for every duty that it asks for, and
 * never asks for more than `calibrationSeconds` of them. Ends at the first sample that is too hot or in doubt; whoever
 * drives the fan sets it to full speed when it has ended.
 * @param limit too hot from here on
 */
export function* calibration(limit: Celsius): Calibration {
  const known: { fullRpm: number; slowest: Calibrated["slowest"] | null; neverStops: boolean } = {
    fullRpm: 0,
    slowest: null,
    neverStops: false,
  };
  try {
    known.fullRpm = yield* turnFully(limit);
    const found = yield* findSlowest(known.fullRpm, limit);
    known.slowest = found.slowest;
    known.neverStops = found.neverStops;
    const start = found.neverStops ? null : yield* findStart(found.slowest.duty, limit);
    return { isFound: true, ...known, slowest: found.slowest, start };
  } catch (thrown) {
    if (!(thrown instanceof End)) throw thrown;
    const { outcome } = thrown;
    // what was found counts: it starts at full speed then
    if (outcome.reason === "out-of-time" && known.slowest !== null)
      return { isFound: true, ...known, slowest: known.slowest, start: null };
    return outcome;
  }
}

/** Ends a calibration from anywhere within. */
class End extends Error {
  readonly outcome: Uncalibrated;
  constructor(reason: Uncalibrated["reason"], found: string) {
    super(found);
    this.outcome = { isFound: false, reason, found };
  }
}

type Step<Value> = Generator<Percent, Value, CalibrationSample>;

function* turnFully(limit: Celsius): Step<number> {
  const { speeds, seconds } = yield* follow(fullSpeed, { longest: 8, steady: 2.25 }, limit);
  const last = speeds.at(-1)?.rpm ?? 0;
  if (last === 0) throw new End("still", `0 rpm at 100 % after ${Math.round(seconds)} s`);
  if (isSteady(speeds, 2.25)) return last;
  const all = speeds.slice(-8).map(({ rpm }) => rpm);
  throw new End("unsteady", `${Math.min(...all)} to ${Math.max(...all)} rpm at a steady 100 %`);
}

/** Down step by step, then between the last that turned and the first that did not. */
function* findSlowest(
  fullRpm: number,
  limit: Celsius,
): Step<{ readonly slowest: Calibrated["slowest"]; readonly neverStops: boolean }> {
  let slowest: Calibrated["slowest"] = { duty: fullSpeed, rpm: fullRpm };
  let stalled: Percent | null = null;
  for (const duty of descent) {
    const rpm = yield* turnsAt(duty, limit);
    if (rpm > slowest.rpm * (1 + steadyShare))
      throw new End("unsteady", `${rpm} rpm at ${duty} %, and ${slowest.rpm} rpm at ${slowest.duty} %`);
    if (rpm === 0) {
      stalled = duty;
      break;
    }
    slowest = { duty, rpm };
  }
  if (stalled === null) {
    if (slowest.rpm >= fullRpm * 0.9)
      throw new End("deaf", `${slowest.rpm} rpm at 0 %, and ${fullRpm} rpm at 100 %`);
    return { slowest, neverStops: true };
  }
  while (slowest.duty - stalled > resolution) {
    yield* follow(fullSpeed, { longest: followSeconds }, limit);
    const middle: Percent = percent(Math.round((slowest.duty + stalled) / 2));
    const rpm: number = yield* turnsAt(middle, limit);
    if (rpm === 0) stalled = middle;
    else slowest = { duty: middle, rpm };
  }
  return { slowest, neverStops: false };
}

/** Up from a standstill until it turns; once more from a standstill, as a breath may have set it going. */
function* findStart(from: Percent, limit: Celsius): Step<Calibrated["start"]> {
  for (let duty = from; ; duty = percent(Math.min(fullSpeed, duty + startStep))) {
    const first = yield* startsAt(duty, limit);
    if (first === "coasts") return null;
    const again = first === null ? null : yield* startsAt(duty, limit);
    if (again === "coasts") return null;
    if (first !== null && again !== null) return { duty, seconds: Math.max(first, again) };
    if (duty === fullSpeed) throw new End("still", "it does not start again at 100 %");
  }
}

/** Turns a minute at a duty, from turning; 0: it has come to a standstill, or is about to. */
function* turnsAt(duty: Percent, limit: Celsius): Step<number> {
  const { speeds } = yield* follow(duty, {}, limit);
  return isSteady(speeds) ? (speeds.at(-1)?.rpm ?? 0) : 0;
}

/** Seconds until it turned, from a standstill; null: it does not; `coasts`: it does not come to a standstill. */
function* startsAt(duty: Percent, limit: Celsius): Step<number | null | "coasts"> {
  const { speeds: before } = yield* follow(standstill, {}, limit);
  if ((before.at(-1)?.rpm ?? 0) > 0) return "coasts";
  const { speeds } = yield* follow(duty, { still: followSeconds }, limit);
  const begin = speeds[0]?.seconds ?? 0;
  const first = speeds.find(({ rpm }) => rpm > 0);
  return isSteady(speeds) && first !== undefined ? first.seconds - begin : null;
}

interface Speed {
  readonly seconds: number;
  readonly rpm: number;
}

/** Keeps a duty until the fan's speed has settled, or it stands still, or for the longest. All in seconds. */
function* follow(
  duty: Percent,
  patience: { readonly longest?: number; readonly still?: number; readonly steady?: number },
  limit: Celsius,
): Step<{ readonly speeds: readonly Speed[]; readonly seconds: number }> {
  const { longest = longestFollowSeconds, still = stillSeconds, steady = steadySeconds } = patience;
  const speeds: Speed[] = [];
  let begin: number | null = null;
  for (;;) {
    const { seconds, rpm } = yield* look(duty, limit);
    begin ??= seconds;
    speeds.push({ seconds, rpm });
    const moving = speeds.findLast((one) => one.rpm > 0)?.seconds ?? begin;
    const isStill = seconds - moving >= still && duty !== fullSpeed;
    const isSettled = seconds - begin >= followSeconds && isSteady(speeds, steady);
    if (isStill || isSettled || seconds - begin >= longest) return { speeds, seconds: seconds - begin };
  }
}

/** Turning, and of late neither much faster nor slower. */
function isSteady(speeds: readonly Speed[], windowSeconds = steadySeconds): boolean {
  const last = speeds.at(-1);
  if (last === undefined) return false;
  const recent = speeds
    .filter(({ seconds }) => seconds >= last.seconds - windowSeconds)
    .map(({ rpm }) => rpm);
  const [slow, fast] = [Math.min(...recent), Math.max(...recent)];
  return recent.length > 2 && slow > 0 && fast - slow <= fast * steadyShare;
}

/** One sample at a duty, which is judged before anyone sees it. */
function* look(duty: Percent, limit: Celsius): Step<Speed> {
  let blindSince: number | null = null;
  for (;;) {
    const { seconds, rpm, temperature } = yield duty;
    if (temperature === null) throw new End("in-doubt", "a sensor of the fan's is not believed any more");
    if (!(temperature < limit))
      throw new End("too-hot", `${temperature.toFixed(1)} °C, and the limit is ${limit} °C`);
    if (seconds >= budgetSeconds) throw new End("out-of-time", `${Math.round(seconds)} s are over`);
    if (rpm !== null && rpm >= 0 && rpm <= fastestRpm) return { seconds, rpm };
    if (rpm !== null) throw new End("unsteady", `${rpm} rpm`);
    blindSince ??= seconds;
    if (seconds - blindSince >= blindSeconds) throw new End("no-reading", "the tachometer cannot be read");
  }
}
