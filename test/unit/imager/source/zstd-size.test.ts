import { expect, test } from "bun:test";
import { zstdSize } from "../../../../src/imager/source/zstd-size.ts";
import { imageFormat } from "../../../../src/imager/source/compression.ts";
import type { ReadBytes } from "../../../../src/imager/source/extents.ts";

function readerOf(bytes: Uint8Array): ReadBytes {
  return async (offset, length) => bytes.subarray(offset, offset + length);
}

const content = Uint8Array.from({ length: 700_000 }, (_, index) => (index * index) % 253);
const frame = new Uint8Array(Bun.zstdCompressSync(content));
const skippable = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

test.each([1, 200, 300, 70_000, 700_000])("a frame of %d bytes tells its size", async (length) => {
  const packed = new Uint8Array(Bun.zstdCompressSync(content.subarray(0, length)));
  expect(await zstdSize(readerOf(packed), packed.length)).toEqual({ is: "size", sizeBytes: length });
});

test("frames are summed up, and skippable ones are skipped", async () => {
  const bytes = new Uint8Array(Buffer.concat([skippable, frame, frame, skippable]));
  expect(await zstdSize(readerOf(bytes), bytes.length)).toEqual({ is: "size", sizeBytes: 1_400_000 });
});

test("a file that is cut short anywhere is known to be", async () => {
  for (let length = 1; length < frame.length; length += Math.ceil(frame.length / 997)) {
    const cut = frame.subarray(0, length);
    expect(await zstdSize(readerOf(cut), cut.length)).toEqual({ is: "cut" });
  }
});

test("what follows the last frame and is none is told", async () => {
  const bytes = new Uint8Array(Buffer.concat([frame, new TextEncoder().encode("<html></html>")]));
  expect(await zstdSize(readerOf(bytes), bytes.length)).toEqual({ is: "not-zstd" });
});

test.each([
  ["zst", frame],
  ["gz", Bun.gzipSync(content.slice(0, 99))],
  ["xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
  ["zst", skippable],
  ["zst", Uint8Array.of(0x50, 0x2a, 0x4d, 0x18)],
  ["zst", Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 1)],
  ["raw", Uint8Array.of(0x60, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)],
  ["foreign", Uint8Array.of(...skippable, 0x04, 0x22, 0x4d, 0x18)],
  ["foreign", Uint8Array.of(0x5d, 0, 0, 0x80, 0)],
  ["raw", new Uint8Array(512)],
  ["raw", new Uint8Array(0)],
  ["foreign", new TextEncoder().encode("PK\u0003\u0004")],
  ["foreign", new TextEncoder().encode("BZh91AY")],
  ["foreign", Uint8Array.of(0x51, 0x46, 0x49, 0xfb)],
] as const)("the first bytes tell the format: %s", (format, bytes) => {
  expect(imageFormat(bytes).format).toBe(format);
});
