import { describe, expect, test } from "bun:test";
import { defaultControl } from "../../../../src/fand/config/defaults.ts";
import {
  handBegin,
  handled,
  isInEffect,
  parseOverrides,
  renderOverrides,
} from "../../../../src/fand/daemon/override.ts";
import { celsius, percent } from "../../../../src/fand/units.ts";

/** Duties of rounds a second apart: what is set (null: nothing), what the rule asks for, the temperature (null: doubt). */
function rounds(
  looks: readonly (readonly [set: number | null, ruled: number, temperature: number | null])[],
  control = defaultControl,
  limit = 70,
) {
  let state = handBegin;
  return looks.map(([set, ruled, temperature]) => {
    const handledNow = handled(
      state,
      set === null ? null : percent(set),
      {
        duty: percent(ruled),
        temperature: temperature === null ? null : celsius(temperature),
        elapsedSeconds: 1,
      },
      celsius(limit),
      control,
    );
    state = handledNow.state;
    return Number(handledNow.duty);
  });
}

describe("a duty that is set by hand", () => {
  test("holds while it is cool, below and above what the rule asks for; without one, the rule decides", () => {
    expect(
      rounds([
        [null, 50, 60],
        [40, 50, 60],
        [80, 50, 60],
        [0, 50, 60],
        [null, 0, 40],
      ]),
    ).toEqual([50, 40, 80, 0, 0]);
  });
  test("is never less than the fan turns at, and never less than its kick where it has to start", () => {
    expect(
      rounds([
        [10, 50, 50],
        [0, 50, 50],
        [10, 50, 50],
        [10, 50, 50],
        [10, 50, 50],
      ]),
    ).toEqual([30, 0, 100, 100, 30]);
  });
  test("is over while the fan stands still: whatever comes after it starts with a kick", () => {
    expect(
      rounds([
        [0, 30, 50],
        [null, 30, 50],
        [null, 30, 50],
        [null, 30, 50],
      ]),
    ).toEqual([0, 100, 100, 30]);
  });
  test("slows nothing down above the limit, until it has cooled down well below it", () => {
    expect(
      rounds([
        [40, 80, 70],
        [40, 90, 70.1],
        [95, 90, 70.1],
        [40, 80, 66],
        [40, 70, 65],
        [40, 80, 66],
      ]),
    ).toEqual([40, 90, 95, 80, 40, 40]);
  });
  test("slows nothing down in doubt, nor from the critical temperature on, whatever the limit", () => {
    expect(rounds([[0, 100, null]])).toEqual([100]);
    expect(rounds([[0, 100, 60]], { ...defaultControl, critical: celsius(60) })).toEqual([100]);
  });
});

describe("what is set by hand is written", () => {
  test("so that it reads the same", () => {
    const overrides = [{ fan: "case", duty: percent(60), untilSeconds: 1234.5 }];
    expect(parseOverrides(renderOverrides(overrides))).toEqual(overrides);
  });
  test.each([
    "",
    "60",
    "{}",
    '[{"fan":"fan","duty":60}]',
    '[{"fan":"fan","duty":-1,"untilSeconds":1}]',
    '[{"fan":"fan","duty":"60","untilSeconds":1}]',
    '[{"fan":"fan","duty":101,"untilSeconds":1}]',
    '[{"fan":"fan","duty":60,"untilSeconds":null}]',
    "[null]",
  ])("and nothing else is read: %s", (text) => {
    expect(parseOverrides(text)).toBeNull();
  });
});

test("a duty that is set by hand ends, and one of another boot never begins", () => {
  const override = { fan: "fan", duty: percent(0), untilSeconds: 100_000 };
  expect([13_599, 13_600, 99_999, 100_000, Number.NaN].map((now) => isInEffect(override, now))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});
