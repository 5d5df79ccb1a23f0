import { expect, test } from "bun:test";
import {
  alignOutward,
  difference,
  endOf,
  extent,
  gaps,
  intersection,
  union,
} from "../../../../src/imager/source/extents.ts";
import type { Extent } from "../../../../src/imager/source/image-map.ts";

const space = 64;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function someExtents(next: () => number): Extent[] {
  return Array.from({ length: Math.floor(next() * 8) }, () => {
    const offset = Math.floor(next() * space);
    return extent(offset, Math.floor(next() * Math.min(12, space - offset + 1)));
  });
}

/** The bytes that the extents cover, one by one. */
function bytesOf(extents: readonly Extent[]): number[] {
  const bytes = new Set<number>();
  for (const one of extents) for (let at = one.offsetBytes; at < endOf(one); at += 1) bytes.add(at);
  return [...bytes].toSorted((one, other) => one - other);
}

test("agree with sets of bytes, whatever the extents are", () => {
  const next = random(1);
  for (let round = 0; round < 2000; round += 1) {
    const some = union(someExtents(next));
    const others = union(someExtents(next));
    const isIn = (extents: readonly Extent[]) => (at: number) => bytesOf(extents).includes(at);
    const every = Array.from({ length: space }, (_, at) => at);
    expect(bytesOf(intersection(some, others))).toEqual(bytesOf(some).filter(isIn(others)));
    expect(bytesOf(difference(some, others))).toEqual(bytesOf(some).filter((at) => !isIn(others)(at)));
    expect(bytesOf(gaps(some, space))).toEqual(every.filter((at) => !isIn(some)(at)));
    const mixed = someExtents(next);
    const merged = union(mixed);
    expect(bytesOf(merged)).toEqual(bytesOf(mixed));
    for (const [index, one] of merged.entries()) {
      const before = merged[index - 1];
      if (before !== undefined) expect(endOf(before)).toBeLessThan(one.offsetBytes);
    }
  }
});

test("are aligned outward, but not beyond the end of the image", () => {
  expect(alignOutward([extent(5, 1), extent(9, 5), extent(30, 3)], 8, 33)).toEqual([
    extent(0, 16),
    extent(24, 9),
  ]);
});
