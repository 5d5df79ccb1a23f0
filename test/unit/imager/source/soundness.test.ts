import { expect, test } from "bun:test";
import type { ReadBytes } from "../../../../src/imager/source/extents.ts";
import { soundnessOf } from "../../../../src/imager/source/soundness.ts";

const sector = 512;
const imageSectors = 4096;

type Entry = readonly [type: number, start: number, length: number];

function imageOf(...entries: readonly Entry[]): Uint8Array {
  const image = new Uint8Array(imageSectors * sector);
  const view = new DataView(image.buffer);
  for (const [index, [type, start, length]] of entries.entries()) {
    const entry = 446 + index * 16;
    view.setUint8(entry + 4, type);
    view.setUint32(entry + 8, start, true);
    view.setUint32(entry + 12, length, true);
  }
  view.setUint16(510, 0xaa55, true);
  return image;
}

async function judge(image: Uint8Array) {
  const read: ReadBytes = async (offset, length) => image.slice(offset, offset + length);
  return await soundnessOf(read, image.length);
}

const cutAt = (sectors: number) => ({ is: "cut", reachBytes: sectors * sector }) as const;

test("an image that ends with its last partition is sound, and with a sector less it is cut", async () => {
  expect(await judge(imageOf([0x0c, 8, 1000], [0x83, 1008, imageSectors - 1008]))).toEqual({ is: "sound" });
  expect(await judge(imageOf([0x0c, 8, 1000], [0x83, 1008, imageSectors - 1007]))).toEqual(
    cutAt(imageSectors + 1),
  );
});

test("a partition that lies beyond the end is missing, as is the rest of an extended one", async () => {
  expect(await judge(imageOf([0x83, 2 * imageSectors, 8]))).toEqual(cutAt(2 * imageSectors + 8));
  expect(await judge(imageOf([0x0f, 64, imageSectors]))).toEqual(cutAt(imageSectors + 64));
});

test("an entry that protects a GPT may reach where it likes", async () => {
  expect(await judge(imageOf([0xee, 1, 0xffff_ffff]))).toEqual({ is: "sound" });
  expect(await judge(imageOf([0xee, 1, 0xffff_ffff]).slice(0, 33 * sector))).toEqual(cutAt(34));
});

test("a squashfs that ends before the image leaves the rest of its partition to the card", async () => {
  const image = imageOf([0x83, 64, 2 * imageSectors]);
  const superblock = new DataView(image.buffer, 64 * sector);
  image.set(new TextEncoder().encode("hsqs"), 64 * sector);
  superblock.setBigUint64(40, BigInt((imageSectors - 64) * sector), true);
  expect(await judge(image)).toEqual({ is: "sound" });
  superblock.setBigUint64(40, BigInt((imageSectors - 64) * sector + 1), true);
  expect(await judge(image)).toEqual(cutAt(2 * imageSectors + 64));
});

test("an empty boot record and zeros are neither", async () => {
  expect(await judge(imageOf())).toEqual({ is: "strange" });
  expect(await judge(new Uint8Array(1000))).toEqual({ is: "strange" });
  expect(await judge(new Uint8Array(0))).toEqual({ is: "strange" });
});

test("an image that is cut anywhere is judged without a failure", async () => {
  const image = imageOf([0x83, 2, 8], [0xee, 1, 100], [0x05, 16, 32]);
  for (let length = 0; length < 48 * sector; length += 97)
    expect((await judge(image.slice(0, length))).is).toBe(length < sector ? "strange" : "cut");
});
