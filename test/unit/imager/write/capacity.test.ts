import { expect, test } from "bun:test";
import { GiB, MiB } from "../../../../src/core/units.ts";
import { markBytes, markOffsets } from "../../../../src/imager/write/capacity.ts";

const card = (sizeBytes: number) => ({ sizeBytes, sectorBytes: 512 });

test("marks are at every power of two behind the image and at the end of the card", () => {
  expect(markOffsets(2 * GiB, card(32 * GiB))).toEqual([
    2 * GiB,
    4 * GiB,
    8 * GiB,
    16 * GiB,
    32 * GiB - markBytes,
  ]);
});

test("no mark lies within the image or behind the card", () => {
  expect(markOffsets(100 * MiB, card(100 * MiB))).toEqual([]);
  expect(markOffsets(100 * MiB, card(100 * MiB + 2048))).toEqual([]);
  expect(markOffsets(100 * MiB, card(100 * MiB + 5000))).toEqual([100 * MiB]);
  expect(markOffsets(100 * MiB, card(100 * MiB + 512 * 15))).toEqual([100 * MiB]);
});
