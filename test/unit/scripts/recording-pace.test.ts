import { expect, test } from "bun:test";
import { type Chunk, follow, gather, shorten } from "../../../scripts/recording/pace.ts";

const chunks = (...times: readonly number[]): Chunk[] =>
  times.map((atMilliseconds) => ({ atMilliseconds, text: String(atMilliseconds) }));
const times = (all: readonly Chunk[]) => all.map(({ atMilliseconds }) => atMilliseconds);

test("no wait is longer than the longest, and what was quick stays as it was", () => {
  const pace = { longestMilliseconds: 300, budgetMilliseconds: 10_000 };
  expect(times(shorten(chunks(50, 150, 5150, 5200), pace))).toEqual([0, 100, 400, 450]);
});

test("what is still too long is played faster, all of it alike", () => {
  const pace = { longestMilliseconds: 1000, budgetMilliseconds: 500 };
  expect(times(shorten(chunks(0, 1000, 1500, 2000), pace))).toEqual([0, 250, 375, 500]);
});

test("nothing is lost of what comes within a frame", () => {
  expect(gather(chunks(0, 99, 100, 150, 260), 100)).toEqual([
    { atMilliseconds: 0, text: "099" },
    { atMilliseconds: 100, text: "100150" },
    { atMilliseconds: 260, text: "260" },
  ]);
});

test("each part begins a pause after the one before, from 0 on", () => {
  expect(times(follow([chunks(0, 100), chunks(0, 50), chunks(0)], 1000))).toEqual([0, 100, 1100, 1150, 2150]);
});
