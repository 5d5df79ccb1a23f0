import { describe, expect, test } from "bun:test";
import { crc32, createCrc } from "../../../../src/imager/source/crc.ts";
import { extent, intersection, type ReadBytes } from "../../../../src/imager/source/extents.ts";
import { lengthOf, type Extent } from "../../../../src/imager/source/image-map.ts";
import { readPartitionTables } from "../../../../src/imager/source/partitions.ts";
import { imageUsage } from "../../../../src/imager/source/usage.ts";

const sector = 512;
const imageSectors = 4096;
const sizeBytes = imageSectors * sector;
const everything = [extent(0, sizeBytes)];

function readerOf(bytes: Uint8Array): ReadBytes {
  return async (offset, length) => bytes.slice(offset, offset + length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeBootRecord(
  image: Uint8Array,
  at: number,
  entries: readonly (readonly [type: number, start: number, length: number])[],
): void {
  const view = viewOf(image);
  for (const [index, [type, start, length]] of entries.entries()) {
    const entry = at * sector + 446 + index * 16;
    view.setUint8(entry + 4, type);
    view.setUint32(entry + 8, start, true);
    view.setUint32(entry + 12, length, true);
  }
  view.setUint16(at * sector + 510, 0xaa55, true);
}

/** FAT12 of 1024 sectors: 1 reserved, two FATs of 3, a root folder of 1, clusters of 1. */
function writeFat(image: Uint8Array, at: number, allocated: readonly number[]): void {
  const boot = at * sector;
  const view = viewOf(image);
  image.set([0xeb, 0x3c, 0x90], boot);
  view.setUint16(boot + 11, sector, true);
  view.setUint8(boot + 13, 1);
  view.setUint16(boot + 14, 1, true);
  view.setUint8(boot + 16, 2);
  view.setUint16(boot + 17, 16, true);
  view.setUint16(boot + 19, 1024, true);
  view.setUint8(boot + 21, 0xf8);
  view.setUint16(boot + 22, 4, true);
  view.setUint16(boot + 510, 0xaa55, true);
  for (const cluster of allocated) {
    const entry = boot + sector + Math.floor((cluster * 3) / 2);
    const value = view.getUint16(entry, true) | (cluster % 2 === 0 ? 0xfff : 0xfff0);
    view.setUint16(entry, value, true);
  }
}

function ext2Image(): Uint8Array {
  // one group of blocks of 1 KiB: superblock 1, descriptors 2, bitmaps 3 and 4, inode table 5 and 6
  const image = new Uint8Array(sizeBytes);
  const view = viewOf(image);
  const at = 1024;
  const blocks = sizeBytes / 1024;
  for (const [offset, value] of [
    [0, 16],
    [4, blocks],
    [0x14, 1],
    [0x20, 8192],
    [0x24, 8192],
    [0x28, 16],
    [0x4c, 1],
  ] as const)
    view.setUint32(at + offset, value, true);
  view.setUint16(at + 0x38, 0xef53, true);
  view.setUint16(at + 0x3a, 1, true);
  view.setUint16(at + 0x58, 128, true);
  for (const [index, block] of [3, 4, 5].entries()) view.setUint32(2048 + index * 4, block, true);
  // blocks 1 to 6 and 100
  image[3 * 1024] = 0b0011_1111;
  image[3 * 1024 + 12] = 0b0000_1000;
  return image;
}

function gptImage(): Uint8Array {
  const image = new Uint8Array(sizeBytes);
  writeBootRecord(image, 0, [[0xee, 1, imageSectors - 1]]);
  const view = viewOf(image);
  const array = 2 * sector;
  image.fill(0x11, array, array + 32);
  view.setBigUint64(array + 32, 64n, true);
  view.setBigUint64(array + 40, 64n + 1023n, true);
  image.set(new TextEncoder().encode("EFI PART"), sector);
  view.setUint32(sector + 12, 92, true);
  view.setBigUint64(sector + 72, 2n, true);
  view.setUint32(sector + 80, 128, true);
  view.setUint32(sector + 84, 128, true);
  const crc = createCrc(crc32);
  const sumOf = (bytes: Uint8Array): number => (crc(0xffffffff, bytes) ^ 0xffffffff) >>> 0;
  view.setUint32(sector + 88, sumOf(image.subarray(array, array + 128 * 128)), true);
  view.setUint32(sector + 16, sumOf(image.subarray(sector, sector + 92)), true);
  writeFat(image, 64, [2]);
  return image;
}

async function zerosOf(image: Uint8Array): Promise<readonly Extent[]> {
  return (await imageUsage(readerOf(image), sizeBytes, everything)).zeros;
}

function sectorsOf(extents: readonly Extent[]): [first: number, count: number][] {
  return extents.map(({ offsetBytes, lengthBytes }) => [offsetBytes / sector, lengthBytes / sector]);
}

describe("of an image without a partition table", () => {
  test("a FAT needs what lies before its clusters, and those that a FAT calls used", async () => {
    const image = new Uint8Array(sizeBytes);
    writeFat(image, 0, [2, 3, 10]);
    // 1 + 2 * 4 + 1 sectors, then clusters 2, 3 and 10
    expect(sectorsOf(await zerosOf(image))).toEqual([
      [0, 12],
      [18, 1],
    ]);
  });

  test("a cluster that one FAT calls free and the other used is used", async () => {
    const image = new Uint8Array(sizeBytes);
    writeFat(image, 0, [2]);
    image[5 * sector + 30] = 1;
    expect(sectorsOf(await zerosOf(image))).toEqual([
      [0, 11],
      [10 + 20 - 2, 1],
    ]);
  });

  test("an ext2 needs what its bitmap calls used", async () => {
    expect(sectorsOf(await zerosOf(ext2Image()))).toEqual([
      [0, 14],
      [200, 2],
    ]);
  });

  test("something else needs every hole", async () => {
    expect(await zerosOf(new Uint8Array(sizeBytes))).toEqual(everything);
  });

  test("a FAT with the mark of an ext2 is neither", async () => {
    const image = new Uint8Array(sizeBytes);
    writeFat(image, 0, [2]);
    viewOf(image).setUint16(1024 + 0x38, 0xef53, true);
    expect(await zerosOf(image)).toEqual(everything);
  });

  test.each([
    [0, "LUKS"],
    [0x1_0040, "_BHRfS_M"],
  ])("an ext2 with another's mark at %d is in doubt: %s", async (offset, magic) => {
    const image = ext2Image();
    image.set(new TextEncoder().encode(magic), offset);
    expect(await zerosOf(image)).toEqual(everything);
  });

  test.each([
    ["was not unmounted", 0x3a, 0],
    ["has clusters of many blocks", 0x65, 0x02],
    ["has a journal to be replayed", 0x60, 0x04],
    ["is a journal itself", 0x60, 0x08],
    ["has a feature of the future", 0x63, 0x01],
    ["is larger than its place", 0x06, 0x01],
    ["has blocks without end", 0x18, 0x20],
    ["has groups of no block", 0x21, 0],
  ])("an ext2 that %s needs every hole", async (_, offset, value) => {
    const image = ext2Image();
    image[1024 + offset] = value;
    expect(await zerosOf(image)).toEqual(everything);
  });
});

describe("of an image with a partition table", () => {
  test("each partition is looked at, and the room for a GPT is cleared", async () => {
    const image = new Uint8Array(sizeBytes);
    writeBootRecord(image, 0, [
      [0x0c, 1024, 1024],
      [0x83, 2048, 1024],
    ]);
    writeFat(image, 1024, [2]);
    expect(sectorsOf(await zerosOf(image))).toEqual([
      [0, 34],
      [1024, 11],
      [2048, 1024],
    ]);
  });

  test("logical partitions are found", async () => {
    const image = new Uint8Array(sizeBytes);
    writeBootRecord(image, 0, [[0x05, 1024, 2048]]);
    writeBootRecord(image, 1024, [
      [0x83, 8, 100],
      [0x05, 512, 300],
    ]);
    writeBootRecord(image, 1024 + 512, [[0x0c, 16, 200]]);
    const found = await readPartitionTables(readerOf(image), sizeBytes);
    expect(sectorsOf(found?.partitions ?? [])).toEqual([
      [1032, 100],
      [1552, 200],
    ]);
  });

  test("a chain of logical partitions that bites its tail ends in doubt", async () => {
    const image = new Uint8Array(sizeBytes);
    writeBootRecord(image, 0, [[0x0f, 1024, 2048]]);
    writeBootRecord(image, 1024, [
      [0x83, 8, 100],
      [0x05, 512, 300],
    ]);
    writeBootRecord(image, 1024 + 512, [
      [0x83, 8, 100],
      [0x05, 0, 300],
    ]);
    expect(sectorsOf(intersection(await zerosOf(image), [extent(1024 * sector, 2048 * sector)]))).toEqual([
      [1024, 2048],
    ]);
  });

  test("a partition that ends behind the image is cut", async () => {
    const image = new Uint8Array(sizeBytes);
    writeBootRecord(image, 0, [[0x83, 4000, 4_000_000_000]]);
    const found = await readPartitionTables(readerOf(image), sizeBytes);
    expect(sectorsOf(found?.partitions ?? [])).toEqual([[4000, 96]]);
  });

  test("a GPT is read, and its copy at the end is part of it", async () => {
    expect(sectorsOf(await zerosOf(gptImage()))).toEqual([
      [0, 34],
      [64, 11],
      [imageSectors - 33, 33],
    ]);
  });

  test("a GPT with one wrong bit makes every hole needed", async () => {
    // every byte of the header, and some of the array
    const header = Array.from({ length: 92 }, (_, index) => sector + index);
    const array = Array.from({ length: 512 }, (_, index) => 2 * sector + index * 32);
    for (const at of [...header, ...array]) {
      const image = gptImage();
      image[at] = (image[at] ?? 0) ^ (1 << (at % 8));
      expect(lengthOf(await zerosOf(image))).toBe(sizeBytes);
    }
  });
});

test("damage anywhere in headers neither throws nor hangs nor leads out of the image", async () => {
  const makers = [
    ext2Image,
    gptImage,
    (): Uint8Array => {
      const image = new Uint8Array(sizeBytes);
      writeBootRecord(image, 0, [
        [0x0c, 1024, 1024],
        [0x05, 2048, 1024],
      ]);
      writeFat(image, 1024, [2, 3, 4]);
      writeBootRecord(image, 2048, [
        [0x83, 8, 100],
        [0x05, 512, 300],
      ]);
      return image;
    },
  ];
  let state = 7;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 3000; round += 1) {
    const image = makers[round % 3]?.() ?? new Uint8Array(0);
    const areas = [0, 1, 2, 4, 6, 64, 65, 1024, 1025, 2048];
    for (let hit = 0; hit <= next(6); hit += 1) {
      const at = (areas[next(areas.length)] ?? 0) * sector + next(sector);
      image[at] = [0, 0xff, 0x80, next(256)][next(4)] ?? 0;
    }
    const { zeros, partitions } = await imageUsage(readerOf(image), sizeBytes, everything);
    for (const one of [...zeros, ...partitions]) {
      expect(one.lengthBytes).toBeGreaterThan(0);
      expect(one.offsetBytes).toBeGreaterThanOrEqual(0);
      expect(one.offsetBytes + one.lengthBytes).toBeLessThanOrEqual(sizeBytes);
    }
  }
});

test("an image that is cut short anywhere is read without a failure", async () => {
  for (const whole of [ext2Image(), gptImage()]) {
    for (let length = 0; length < 70 * sector; length += 101) {
      const image = whole.slice(0, length);
      const { zeros } = await imageUsage(readerOf(image), length, [extent(0, length)]);
      expect(lengthOf(zeros)).toBeLessThanOrEqual(length);
    }
  }
});
