import { describe, expect, test } from "bun:test";

import { cardSize, readPartitionTable } from "../../../../src/imager/boot/partition-table.ts";

type Entry = readonly [type: number, firstSector: number, sectors: number];

function bootRecord(entries: readonly Entry[]): Uint8Array {
  const sector = new Uint8Array(512);
  const view = new DataView(sector.buffer);
  entries.forEach(([type, firstSector, sectors], index) => {
    view.setUint8(446 + 16 * index + 4, type);
    view.setUint32(446 + 16 * index + 8, firstSector, true);
    view.setUint32(446 + 16 * index + 12, sectors, true);
  });
  sector.set([0x55, 0xaa], 510);
  return sector;
}

const boot: Entry = [0x0c, 8192, 262_144];
const root: Entry = [0x83, 270_336, 1000];

describe("readPartitionTable", () => {
  test("finds boot and root partition in bytes", () => {
    expect(readPartitionTable(bootRecord([boot, root]), 2 ** 30)).toEqual({
      boot: { offsetBytes: 4_194_304, sizeBytes: 134_217_728 },
      root: { offsetBytes: 138_412_032, sizeBytes: 512_000 },
    });
  });

  test("reads sector numbers beyond two to the thirty-first", () => {
    const far: Entry = [0x83, 3_000_000_000, 8];
    expect(readPartitionTable(bootRecord([boot, far]), 2 ** 41).root.offsetBytes).toBe(3_000_000_000 * 512);
  });

  test("refuses an image that is cut short, with where it ends", () => {
    expect(() => readPartitionTable(bootRecord([boot, root]), 138_412_033)).toThrow(
      "the Linux root partition ends at byte 138924032, but the image has 138412033 bytes",
    );
  });

  test("refuses what has no table, no root partition, or a GPT", () => {
    expect(() => readPartitionTable(new Uint8Array(512), 512)).toThrow("the image has no partition table");
    expect(() => readPartitionTable(new Uint8Array(0), 0)).toThrow("the image has no partition table");
    expect(() => readPartitionTable(bootRecord([boot]), 2 ** 30)).toThrow(
      "the image has no Linux root partition",
    );
    expect(() => readPartitionTable(bootRecord([[0xee, 1, 100]]), 2 ** 30)).toThrow("the image has a GPT");
  });
});

test("a card is the next power of two, and a power of two stays as it is", () => {
  expect([1, 3, 1_606_418_432, 2 ** 31, 2 ** 31 + 1].map(cardSize)).toEqual([
    1,
    4,
    2 ** 31,
    2 ** 31,
    2 ** 32,
  ]);
});
