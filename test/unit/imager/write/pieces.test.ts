import { describe, expect, test } from "bun:test";
import type { Extent, ImageMap } from "../../../../src/imager/source/image-map.ts";
import { batches, planWrite, spans } from "../../../../src/imager/write/pieces.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const extent = (offsetBytes: number, lengthBytes: number): Extent => ({ offsetBytes, lengthBytes });
const places = (extents: readonly Extent[]): (readonly [number, number])[] =>
  extents.map(({ offsetBytes, lengthBytes }) => [offsetBytes, lengthBytes] as const);

function mapOf(
  sizeBytes: number,
  data: readonly Extent[],
  rest: Partial<Pick<ImageMap, "zeros" | "partitions">> = {},
): ImageMap {
  const promised = data.map((one) => ({ ...one, sha256: null }));
  return { sizeBytes, from: "holes", data: promised, zeros: [], partitions: [], ...rest };
}

const card = { sizeBytes: 64 * MiB, sectorBytes: 512 };

describe("a plan", () => {
  test("writes what lies in the first MiB last, and cuts an extent that crosses it", () => {
    const plan = planWrite(mapOf(32 * MiB, [extent(0, 3 * MiB)]), card, 4 * MiB);
    expect(places(plan.head)).toEqual([[0, MiB]]);
    expect(places(plan.body)).toEqual([[MiB, 2 * MiB]]);
  });

  test("cuts long extents, and joins what touches into one piece with zeros in it", () => {
    const zeros = [extent(10 * MiB, MiB)];
    const plan = planWrite(mapOf(32 * MiB, [extent(4 * MiB, 6 * MiB)], { zeros }), card, 4 * MiB);
    expect(places(plan.body)).toEqual([
      [4 * MiB, 4 * MiB],
      [8 * MiB, 3 * MiB],
    ]);
    expect(plan.body[1]?.segments).toEqual([
      { ...extent(8 * MiB, 2 * MiB), from: "image" },
      { ...extent(10 * MiB, MiB), from: "zeros" },
    ]);
  });

  test("never joins over a hole", () => {
    const plan = planWrite(
      mapOf(32 * MiB, [extent(4 * MiB, 4 * KiB), extent(5 * MiB, 4 * KiB)]),
      card,
      4 * MiB,
    );
    expect(places(plan.body)).toEqual([
      [4 * MiB, 4 * KiB],
      [5 * MiB, 4 * KiB],
    ]);
  });

  test("asks for whole sectors of a card whose sectors are larger than the image's; data win over zeros", () => {
    const zeros = [extent(2 * MiB + 3 * KiB, 2 * KiB)];
    const map = mapOf(32 * MiB, [extent(2 * MiB + 512, 512)], { zeros });
    const plan = planWrite(map, { ...card, sectorBytes: 4096 }, 4 * MiB);
    expect(plan.body).toEqual([
      {
        ...extent(2 * MiB, 8 * KiB),
        segments: [
          { ...extent(2 * MiB, 4 * KiB), from: "image" },
          { ...extent(2 * MiB + 4 * KiB, 4 * KiB), from: "zeros" },
        ],
      },
    ]);
  });

  test("ends with a whole sector where the image does not", () => {
    const plan = planWrite(mapOf(2 * MiB + 100, [extent(2 * MiB, 100)]), card, 4 * MiB);
    expect(places(plan.body)).toEqual([[2 * MiB, 512]]);
  });

  test("looks for what is old in holes at both ends of the card and of each partition, and between partitions", () => {
    const partitions = [extent(8 * MiB, 8 * MiB)];
    const plan = planWrite(
      mapOf(32 * MiB, [extent(0, 512), extent(8 * MiB, 512 * KiB)], { partitions }),
      card,
      4 * MiB,
    );
    expect(places(plan.probes)).toEqual([
      [512, 8 * MiB - 512],
      [8 * MiB + 512 * KiB, 512 * KiB],
      [15 * MiB, 17 * MiB],
      [63 * MiB, MiB],
    ]);
  });

  test("leaves large room behind the last partition as it is", () => {
    const plan = planWrite(
      mapOf(200 * MiB, [extent(0, 512)], { partitions: [extent(MiB, 8 * MiB)] }),
      { sizeBytes: 300 * MiB, sectorBytes: 512 },
      4 * MiB,
    );
    expect(places(plan.probes)).toEqual([
      [512, 2 * MiB - 512],
      [8 * MiB, MiB],
      [299 * MiB, MiB],
    ]);
  });

  test("finds no hole where the image is as large as the card and full", () => {
    expect(planWrite(mapOf(64 * MiB, [extent(0, 64 * MiB)]), card, 4 * MiB).probes).toEqual([]);
  });
});

test("every byte that matters is in exactly one piece, whatever the extents", () => {
  let seed = 7;
  const next = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % limit;
  };
  for (let round = 0; round < 50; round += 1) {
    const wanted = new Uint8Array(2048);
    const data: Extent[] = [];
    const zeros: Extent[] = [];
    for (let sector = next(8); sector < 2000;) {
      const length = 1 + next(90);
      (next(3) === 0 ? zeros : data).push(extent(sector * 4096, length * 4096));
      wanted.fill(1, sector, sector + length);
      sector += length + next(3) * next(40);
    }
    const size = { sizeBytes: 2200 * 4096, sectorBytes: 4096 };
    const plan = planWrite(mapOf(2200 * 4096, data, { zeros }), size, 128 * KiB);
    const found = new Uint8Array(2048);
    for (const { offsetBytes, lengthBytes, segments } of [...plan.head, ...plan.body]) {
      expect(lengthBytes).toBeLessThanOrEqual(128 * KiB);
      expect(segments.reduce((sum, one) => sum + one.lengthBytes, 0)).toBe(lengthBytes);
      for (let at = offsetBytes / 4096; at < (offsetBytes + lengthBytes) / 4096; at += 1)
        found[at] = (found[at] ?? 0) + 1;
    }
    expect(found).toEqual(wanted);
  }
});

test("small pieces share a buffer, each on a page of its own; a large one fills it", () => {
  const pieces = [extent(0, 512), extent(MiB, 512), extent(2 * MiB, 16 * KiB), extent(3 * MiB, 4 * KiB)];
  expect([...batches(pieces, 16 * KiB)].map((batch) => batch.length)).toEqual([2, 1, 1]);
});

test("a read spans small gaps, and neither large ones nor more than a buffer", () => {
  const pieces = [
    extent(0, 4 * KiB),
    extent(32 * KiB, 4 * KiB),
    extent(512 * KiB, 4 * KiB),
    extent(516 * KiB, 64 * KiB),
  ];
  expect(places([...spans(pieces, 64 * KiB)])).toEqual([
    [0, 36 * KiB],
    [512 * KiB, 4 * KiB],
    [516 * KiB, 64 * KiB],
  ]);
});
