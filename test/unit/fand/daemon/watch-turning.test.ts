import { describe, expect, test } from "bun:test";
import { turningBegin, watchTurning } from "../../../../src/fand/daemon/watch-turning.ts";
import { percent } from "../../../../src/fand/units.ts";

/** What is made of looks five seconds apart. */
function watched(looks: readonly (readonly [duty: number, rpm: number | null])[]) {
  let turning = turningBegin;
  return looks.map(([duty, rpm]) => {
    const { turning: after, isKicked, news } = watchTurning(turning, percent(duty), rpm, 5);
    turning = after;
    return `${isKicked ? "kick" : "leave"}${news === null ? "" : ` ${news}`}`;
  });
}

describe("a fan with a tachometer", () => {
  test("that turns, or was not told to, is left alone", () => {
    expect(
      watched([
        [30, 900],
        [0, 0],
        [0, 0],
        [0, 300],
      ]),
    ).toEqual(["leave", "leave", "leave", "leave"]);
  });
  test("that does not turn is kicked, then an alarm, once, until it turns", () => {
    expect(
      watched([
        [30, 0],
        [100, 0],
        [100, 0],
        [100, 0],
        [100, 2000],
        [30, 900],
      ]),
    ).toEqual(["kick", "kick", "kick stalled", "kick", "leave turning", "leave"]);
  });
  test("that is not counted says nothing", () => {
    expect(
      watched([
        [30, null],
        [30, null],
        [30, null],
        [30, null],
      ]),
    ).toEqual(["leave", "leave", "leave", "leave"]);
  });
});
