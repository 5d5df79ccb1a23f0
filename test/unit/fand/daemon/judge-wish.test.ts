import { describe, expect, test } from "bun:test";
import { parseHowLong, parseWish, refusalOf } from "../../../../src/fand/daemon/judge-wish.ts";

describe("what is typed", () => {
  test("is a duty or auto", () => {
    expect(["60%", "60", "0%", "100 %", "12.5%", "auto"].map((text) => parseWish(text)?.duty)).toEqual([
      60,
      60,
      0,
      100,
      12.5,
      null,
    ]);
    expect(["", "-1", "101%", "6o", "1e1", "AUTO", "60%%", "%"].map(parseWish)).toEqual(
      Array.from({ length: 8 }, () => null),
    );
  });
  test("is a time of a second to a day", () => {
    expect(["1s", "90s", "10m", "10min", "1.5h", "24h"].map(parseHowLong)).toEqual([
      1, 90, 600, 600, 5400, 86_400,
    ]);
    expect(["0s", "0.5s", "25h", "10", "m", "-5m", "1d"].map(parseHowLong)).toEqual(
      Array.from({ length: 7 }, () => null),
    );
  });
});

describe("a fan that is too warm, or in doubt", () => {
  const fan = {
    name: "case",
    temperature: 71.5,
    duty: 90,
    wanted: 90,
    minimum: 30,
    rpm: null,
    isStalled: false,
    isLost: false,
    changes: 0,
    errors: 0,
    override: null,
  };
  test("is not set below what its rule asks for", () => {
    expect(refusalOf(fan, 89, 70)).toBe(
      "fan case: 71.5 °C is above 70 °C: it may not get less than the 90 % that its rule asks for",
    );
    expect(refusalOf({ ...fan, temperature: null, wanted: 100 }, 99, 70)).toStartWith("fan case: in doubt:");
  });
  test("may get more, and a cool one anything", () => {
    expect(refusalOf(fan, 90, 70)).toBeNull();
    expect(refusalOf({ ...fan, temperature: 70 }, 0, 70)).toBeNull();
  });
});
