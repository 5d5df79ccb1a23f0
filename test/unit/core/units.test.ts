import { expect, test } from "bun:test";
import { formatSeconds } from "../../../src/core/units.ts";

test("a duration has the units that people count it in", () => {
  expect([0.42, 12.4, 59.6, 185, 3599, 3599.6, 3900, 86_370, 86_400].map(formatSeconds)).toEqual([
    "0.4 s",
    "12 s",
    "1 min 00 s",
    "3 min 05 s",
    "59 min 59 s",
    "1 h",
    "1 h 05 min",
    "24 h",
    "24 h",
  ]);
});
