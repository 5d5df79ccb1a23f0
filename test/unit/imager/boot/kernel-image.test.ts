import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { BerryError } from "../../../../src/core/errors.ts";
import { unpackKernel } from "../../../../src/imager/boot/kernel-image.ts";

/** The header of an arm64 Image (Documentation/arch/arm64/booting.rst), and some bytes behind it. */
function arm64Image(pageSizeField: 0 | 1 | 2 | 3): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(4096).fill(7, 64);
  const header = new DataView(image.buffer);
  header.setUint8(0x18, (pageSizeField << 1) | 8);
  header.setUint32(0x38, 0x644d5241, true);
  return image;
}

function zboot(compression: string, payload: Uint8Array): Uint8Array {
  const file = new Uint8Array(512 + payload.length);
  file.set(new TextEncoder().encode("MZ\0\0zimg"));
  new DataView(file.buffer).setUint32(8, 512, true);
  new DataView(file.buffer).setUint32(12, payload.length, true);
  file.set(new TextEncoder().encode(`${compression}\0`), 24);
  file.set(payload, 512);
  return file;
}

function failure(file: Uint8Array): BerryError {
  try {
    unpackKernel(file, "kernel8.img");
  } catch (thrown) {
    if (thrown instanceof BerryError) return thrown;
    throw thrown;
  }
  throw new Error("unpackKernel accepted the file");
}

describe("unpackKernel", () => {
  test("hands an uncompressed Image through and reads its page size", () => {
    for (const [field, pageKiB] of [
      [0, null],
      [1, 4],
      [2, 16],
      [3, 64],
    ] as const) {
      const image = arm64Image(field);
      expect(unpackKernel(image, "vmlinuz")).toEqual({ image, pageKiB });
    }
  });

  test("unpacks a kernel that gzip compressed", () => {
    const { image, pageKiB } = unpackKernel(gzipSync(arm64Image(1)), "vmlinuz");
    expect(new Uint8Array(image)).toEqual(arm64Image(1));
    expect(pageKiB).toBe(4);
  });

  test("unpacks EFI zboot images, by gzip and by zstd", () => {
    for (const file of [
      zboot("gzip", gzipSync(arm64Image(2))),
      zboot("zstd22", zstdCompressSync(arm64Image(2))),
    ]) {
      const { image, pageKiB } = unpackKernel(file, "vmlinuz");
      expect(new Uint8Array(image)).toEqual(arm64Image(2));
      expect(pageKiB).toBe(16);
    }
  });

  test("reads a file that is a view into a larger buffer", () => {
    const larger = new Uint8Array(8192);
    larger.set(arm64Image(1), 1000);
    expect(unpackKernel(larger.subarray(1000, 5096), "vmlinuz").pageKiB).toBe(4);
  });

  test("names the compression of a zboot image that it cannot unpack", () => {
    expect(failure(zboot("xzkern", new Uint8Array(100))).message).toContain("compressed with xzkern");
  });

  test("tells a 32-bit kernel from something that is no kernel at all", () => {
    const arm32 = new Uint8Array(4096);
    new DataView(arm32.buffer).setUint32(0x24, 0x016f2818, true);
    expect(failure(arm32).message).toContain("kernel8.img is a 32-bit ARM kernel");
    expect(failure(new Uint8Array(4096)).message).toContain("kernel8.img is no arm64 kernel");
    expect(failure(new Uint8Array(3)).message).toContain("it has 3 bytes");
  });

  test("says that a damaged gzip file cannot be decompressed", () => {
    const damaged = gzipSync(arm64Image(1)).subarray(0, 30);
    expect(failure(damaged)).toMatchObject({ kind: "bad-data" });
    expect(failure(damaged).message).toContain("kernel8.img cannot be decompressed");
  });
});
