import { describe, expect, test } from "bun:test";
import { advise, renderAdvice } from "../../../../src/fand/calibrate/advice.ts";
import {
  calibration,
  calibrationSeconds,
  type Calibrated,
  type Uncalibrated,
} from "../../../../src/fand/calibrate/calibration.ts";
import { celsius } from "../../../../src/fand/units.ts";
import { type FanNature, simulatedFan } from "../../../fixtures/simulated-fan.ts";

const interval = 0.25;

/** A whole calibration of a fan, and what it asked for. */
function calibrate(
  nature: FanNature,
  temperatureAt: (seconds: number, duty: number) => number | null = () => 50,
): { outcome: Calibrated | Uncalibrated; seconds: number; duties: readonly number[] } {
  const fan = simulatedFan(nature);
  const protocol = calibration(celsius(75));
  const duties: number[] = [];
  let seconds = 0;
  let step = protocol.next();
  while (step.done !== true) {
    if (duties.length > 10_000) throw new Error("it does not end");
    duties.push(step.value);
    fan.turn(step.value, interval);
    seconds += interval;
    const temperature = temperatureAt(seconds, step.value);
    step = protocol.next({
      seconds,
      rpm: fan.rpm(),
      temperature: temperature === null ? null : celsius(temperature),
    });
  }
  return { outcome: step.value, seconds, duties };
}
function found(nature: FanNature): Calibrated & { readonly took: number } {
  const { outcome, seconds } = calibrate(nature);
  if (!outcome.isFound) throw new Error(`${outcome.reason}: ${outcome.found}`);
  return { ...outcome, took: seconds };
}
const reason = (outcome: Calibrated | Uncalibrated) => (outcome.isFound ? "found" : outcome.reason);

describe("a calibration", () => {
  test("finds where a fan stalls and where it starts, which is above", () => {
    const { slowest, start, fullRpm, neverStops, took } = found({ stallsBelow: 18, startsAt: 30 });
    expect(slowest.duty).toBeGreaterThanOrEqual(18);
    expect(slowest.duty).toBeLessThanOrEqual(23);
    expect(start?.duty).toBeGreaterThanOrEqual(30);
    expect(start?.duty).toBeLessThanOrEqual(40);
    expect(fullRpm).toBeGreaterThan(4700);
    expect(neverStops).toBe(false);
    expect(took).toBeLessThanOrEqual(calibrationSeconds);
  });
  test.each([5, 12, 25, 33, 38, 47, 60, 85])(
    "gives advice that a fan which stalls below %d %% can live with",
    (stallsBelow) => {
      for (const gap of [0, 4, 12, 30])
        for (const inertiaSeconds of [0.2, 0.8, 1.5])
          for (const noise of [0, 0.05]) {
            const startsAt = Math.min(100, stallsBelow + gap);
            const { took, ...seen } = found({ stallsBelow, startsAt, inertiaSeconds, noise });
            const { minimumDuty, startDuty, startKickSeconds } = advise(seen);
            expect(minimumDuty).toBeGreaterThanOrEqual(stallsBelow);
            expect(minimumDuty).toBeLessThanOrEqual(Math.min(100, stallsBelow + 15));
            expect(startDuty).toBeGreaterThanOrEqual(startsAt);
            expect(startKickSeconds).toBeGreaterThanOrEqual(1);
            expect(took).toBeLessThanOrEqual(calibrationSeconds);
          }
    },
  );
  test("does not believe in a start that does not come again", () => {
    // 0: when it was set going at first; then every second try needs more
    const { start } = found({ stallsBelow: 15, startsAt: (starts) => (starts % 2 === 0 ? 16 : 26) });
    expect(start?.duty).toBeGreaterThanOrEqual(26);
  });
  test("of a fan that never stops says so, and needs no kick", () => {
    const seen = found({ stallsBelow: 0, startsAt: 0 });
    expect(seen).toMatchObject({ neverStops: true, slowest: { duty: 0 }, start: null });
    expect(renderAdvice(advise(seen))).toEqual(["minimum_duty = 5", "start_duty = 5", 'start_kick = "0s"']);
  });
  test("of a fan that never turns ends soon", () => {
    const { outcome, seconds, duties } = calibrate({ startsAt: 101 });
    expect(outcome).toEqual({ isFound: false, reason: "still", found: "0 rpm at 100 % after 8 s" });
    expect(seconds).toBeLessThan(10);
    expect(new Set(duties)).toEqual(new Set([100]));
  });
  test("believes no tachometer that reads noise", () => {
    for (const most of [400, 9000, 24_000])
      expect(reason(calibrate({ says: (_rpm, random) => Math.round(random() * most) }).outcome)).toBe(
        "unsteady",
      );
    expect(reason(calibrate({ says: () => 1_000_000 }).outcome)).toBe("unsteady");
    expect(reason(calibrate({ says: () => -1 }).outcome)).toBe("unsteady");
    expect(reason(calibrate({ says: () => Number.NaN }).outcome)).toBe("unsteady");
  });
  test("believes no tachometer that says the same whatever the duty", () => {
    const { outcome } = calibrate({ says: () => 2300 });
    expect(outcome).toEqual({
      isFound: false,
      reason: "deaf",
      found: "2300 rpm at 0 %, and 2300 rpm at 100 %",
    });
  });
  test("believes no tachometer that counts more the slower the fan turns", () => {
    const { outcome } = calibrate({ noise: 0, says: (rpm) => (rpm === 0 ? 0 : 7000 - rpm) });
    expect(outcome.isFound ? "found" : outcome.found).toMatch(/^\d+ rpm at 40 %, and \d+ rpm at 100 %$/);
  });
  test("ends when the tachometer falls silent, and forgives a single reading", () => {
    let readings = 0;
    const silent = calibrate({ tachometerSeconds: 0.25, says: (rpm) => ((readings += 1) > 20 ? null : rpm) });
    expect(reason(silent.outcome)).toBe("no-reading");
    expect(silent.seconds).toBeLessThan(8);
    readings = 0;
    const once = calibrate({
      tachometerSeconds: 0.25,
      says: (rpm) => ((readings += 1) % 20 === 0 ? null : rpm),
    });
    expect(once.outcome.isFound).toBe(true);
  });
  test("ends with the first sample that is too hot, in the midst of anything", () => {
    for (const moment of [0.25, 3, 9, 17, 25, 31]) {
      const { outcome, seconds } = calibrate({}, (now) => (now >= moment ? 75 : 74.9));
      expect(outcome).toEqual({
        isFound: false,
        reason: "too-hot",
        found: "75.0 °C, and the limit is 75 °C",
      });
      expect(seconds).toBe(moment);
    }
  });
  test("ends with the first sample whose temperature is in doubt", () => {
    const doubtful = calibrate({}, (now) => (now >= 12 ? null : 50));
    expect([reason(doubtful.outcome), doubtful.seconds]).toEqual(["in-doubt", 12]);
    expect(reason(calibrate({}, (now) => (now >= 12 ? Number.NaN : 50)).outcome)).toBe("too-hot");
  });
  test("lasts a minute at the most, whatever fan it has before it", () => {
    let longest = 0;
    for (const inertiaSeconds of [0.1, 1, 2, 3, 5, 10, 30])
      for (const tachometerSeconds of [0.25, 1, 2, 4])
        for (const stallsBelow of [0, 3, 18, 44, 71, 99])
          for (const noise of [0, 0.06, 0.2]) {
            const nature = {
              inertiaSeconds,
              tachometerSeconds,
              stallsBelow,
              startsAt: stallsBelow + 25,
              noise,
            };
            longest = Math.max(longest, calibrate(nature).seconds);
          }
    expect(longest).toBeLessThanOrEqual(calibrationSeconds);
    expect(longest).toBeGreaterThan(50);
  });
  test("that runs out of time advises to start at full speed", () => {
    const { outcome } = calibrate({ stallsBelow: 44, startsAt: 100, inertiaSeconds: 1.2 });
    expect(outcome).toMatchObject({ isFound: true, start: null });
    if (!outcome.isFound) throw new Error("not found");
    expect(advise(outcome).startDuty).toBe(100);
  });
  test("lets a fan stand still for a few seconds only", () => {
    const { duties } = calibrate({ stallsBelow: 18, startsAt: 45 });
    let [run, longest] = [0, 0];
    for (const duty of duties) {
      run = duty < 18 ? run + interval : 0;
      longest = Math.max(longest, run);
    }
    expect(longest).toBeLessThanOrEqual(7);
  });
});
