import { expect, test } from "bun:test";
import { editDistance, nearest } from "../../../src/core/nearest.ts";

test.each([
  ["", "", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
  ["contry", "country", 1],
  ["timezoen", "timezone", 1],
  ["ab", "ba", 1],
])("the distance from %p to %p is %p", (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
  expect(editDistance(to, from)).toBe(distance);
});

test("the nearest candidate is found, whatever its case", () => {
  expect(nearest("TimeZon", ["target", "timezone"])).toBe("timezone");
});

test("a word that is far from all candidates has no nearest one", () => {
  expect(nearest("wlan", ["image", "user", "wifi", "node"])).toBeUndefined();
});

test("of candidates that are equally near the first one wins", () => {
  expect(nearest("pi", ["pi1", "pi2"])).toBe("pi1");
});
