import { describe, expect, test } from "bun:test";
import { control, controlBegin } from "../../../../src/fand/control/control.ts";
import type { ControlSettings, ControlState, CurveRule } from "../../../../src/fand/control/control.ts";
import { demand } from "../../../../src/fand/control/curve.ts";
import type { Curve } from "../../../../src/fand/control/curve.ts";
import { celsius, percent } from "../../../../src/fand/units.ts";

const curve: Curve = {
  interpolation: "linear",
  points: (
    [
      [45, 0],
      [50, 30],
      [60, 50],
      [67, 75],
      [72, 100],
    ] as const
  ).map(([at, duty]) => ({ at: celsius(at), duty: percent(duty) })),
};
const settings: ControlSettings = {
  rule: {
    rule: "curve",
    curve,
    hysteresis: 3,
    attack: null,
    decay: 2,
    step: percent(0),
    fallStep: percent(0),
  },
  minimumDuty: percent(30),
  startKick: { duty: percent(100), seconds: 0 },
  minimumOnSeconds: 0,
  critical: null,
};
const still: ControlState = {
  level: percent(0),
  duty: percent(0),
  fallSeconds: 0,
  onSeconds: null,
  readings: [],
};
const asked = (changed: Partial<CurveRule>): Partial<ControlSettings> => ({
  rule: { ...(settings.rule as CurveRule), ...changed },
});

/** Duties after each temperature, one second apart. */
function duties(
  temperatures: readonly (number | null)[],
  changed: Partial<ControlSettings> = {},
  begin: ControlState = still,
): number[] {
  let state = begin;
  return temperatures.map((one) => {
    const sample = { temperature: one === null ? null : celsius(one), elapsedSeconds: 1 };
    const controlled = control(state, sample, { ...settings, ...changed });
    state = controlled.state;
    return controlled.duty;
  });
}

describe("the curve", () => {
  test("is linear between its points, flat beyond them", () => {
    expect([20, 45, 47.5, 50, 55, 63.5, 72, 110].map((at): number => demand(curve, celsius(at)))).toEqual([
      0, 0, 15, 30, 40, 62.5, 100, 100,
    ]);
  });
  test("holds the lower point between two steps", () => {
    const steps = { ...curve, interpolation: "steps" as const };
    expect([44, 45, 49.9, 50, 71.9, 72].map((at): number => demand(steps, celsius(at)))).toEqual([
      0, 0, 0, 30, 75, 100,
    ]);
  });
  test("asks for everything where the temperature is no number", () => {
    expect(demand(curve, celsius(Number.NaN))).toBe(percent(100));
  });
});

describe("a fan", () => {
  test("runs at full speed before anything is known, and follows the first temperature at once", () => {
    expect(controlBegin.duty).toBe(percent(100));
    expect(duties([null, null, 60], {}, controlBegin)).toEqual([100, 100, 50]);
    expect(duties([40], { minimumOnSeconds: 300 }, controlBegin)).toEqual([0]);
  });
  test("rises at once", () => {
    expect(duties([40, 72])).toEqual([0, 100]);
  });
  test("rises no faster than its attack", () => {
    expect(duties([50, 60, 60, 60], asked({ attack: 10 }))).toEqual([0, 0, 30, 40]);
  });
  test("falls by its decay, and stays where it is within the hysteresis", () => {
    expect(duties([60, 58, 57.1, 55, 55, 55])).toEqual([50, 50, 50, 48, 46, 46]);
  });
  test("rises to whole steps, and falls by few of them", () => {
    const rule = asked({ step: percent(10), fallStep: percent(20), decay: 5 });
    expect(duties([52, 61, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40], rule)).toEqual([
      40, 60, 60, 60, 60, 40, 40, 40, 40, 30, 30, 30, 30,
    ]);
  });
  test("starts where the curve asks for its minimum, and not by rounding up", () => {
    expect(duties([45, 49.9, 50], asked({ step: percent(10) }))).toEqual([0, 0, 30]);
  });
  test("turns at its minimum until the temperature asks for nothing, then stands still", () => {
    const seen = duties([60, ...Array.from({ length: 26 }, () => 40)]);
    expect(seen.slice(0, 12)).toEqual([50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 30]);
    expect(seen.slice(-3)).toEqual([30, 0, 0]);
    expect(duties([50, 45.1, 45.1, 44.9], asked({ decay: null }))).toEqual([30, 30, 30, 0]);
  });
  test("is kicked when it starts, and not again while it turns", () => {
    const startKick = { duty: percent(100), seconds: 2 };
    expect(duties([40, 51, 51, 51, 52], { startKick })).toEqual([0, 100, 100, 32, 34]);
  });
  test("turns at least for its minimum time", () => {
    expect(duties([50, 30, 30, 30, 30], { minimumOnSeconds: 3, ...asked({ decay: null }) })).toEqual([
      30, 30, 30, 0, 0,
    ]);
  });
  test("runs at full speed from the critical temperature on, whatever its curve", () => {
    const weak = { ...curve, points: curve.points.slice(0, 2) };
    const changed = { critical: celsius(80), ...asked({ curve: weak, decay: 10 }) };
    expect(duties([79.9, 80, 79], changed)).toEqual([30, 100, 90]);
  });
  test("is switched on and off with a gap in between", () => {
    const rule = { rule: "on-off", on: celsius(60), off: celsius(50) } as const;
    expect(duties([59, 60, 51, 50, 59, 60], { rule })).toEqual([0, 100, 100, 0, 0, 100]);
  });
  test("runs at full speed in any doubt, whatever its rule, and is back when it is over", () => {
    expect(duties([60, null, Number.NaN, 60, 40])).toEqual([50, 100, 100, 50, 48]);
    const rule = { rule: "on-off", on: celsius(60), off: celsius(50) } as const;
    expect(duties([40, null], { rule })).toEqual([0, 100]);
  });
  test("is not moved by a clock that stood still or ran backwards", () => {
    const hot = control(still, { temperature: celsius(60), elapsedSeconds: 1 }, settings).state;
    const back = control(hot, { temperature: celsius(40), elapsedSeconds: -3600 }, settings);
    expect(back.duty).toBe(percent(50));
  });
  test("never cools less than its curve asks for, on any of 20,000 random samples", () => {
    let seed = 7;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let state = controlBegin;
    for (let index = 0; index < 20_000; index += 1) {
      const temperature = celsius(30 + 50 * random());
      const { duty, state: after } = control(state, { temperature, elapsedSeconds: 5 * random() }, settings);
      const wanted = demand(curve, temperature);
      // a fan does not turn at less than its minimum: it is not started for it
      expect(wanted < settings.minimumDuty || duty >= wanted).toBe(true);
      expect(duty === 0 || duty >= settings.minimumDuty).toBe(true);
      state = after;
    }
  });
});

describe("the original's rule", () => {
  test("takes the highest of the last readings over its steps", () => {
    const rule = {
      rule: "rpifand",
      curve: { interpolation: "steps", points: curve.points },
      readings: 3,
    } as const;
    expect(duties([61, 50, 44, 44, 44], { rule, minimumDuty: percent(0) })).toEqual([50, 50, 50, 30, 0]);
  });
  test("takes an unreadable sensor for 100 °C, and remembers it", () => {
    const rule = { rule: "rpifand", curve: { ...curve, interpolation: "steps" }, readings: 3 } as const;
    expect(duties([40, null, 40, 40, 40], { rule })).toEqual([0, 100, 100, 100, 0]);
  });
});
