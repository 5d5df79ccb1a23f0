import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { BerryError, messageOf } from "../../core/errors.ts";

export interface KernelImage {
  /** An uncompressed arm64 `Image`, as QEMU's `-kernel` takes it. */
  readonly image: Uint8Array;
  /** null: the header does not say. */
  readonly pageKiB: 4 | 16 | 64 | null;
}

const arm64Magic = 0x644d5241;
const arm32Magic = 0x016f2818;
const headerLength = 64;

/**
 * Unwraps a kernel file: an arm64 `Image`, the same compressed by gzip, or an EFI zboot image.
 * Sources: Documentation/arch/arm64/booting.rst, drivers/firmware/efi/libstub/zboot-header.S.
 * @param name what errors call the file
 * @throws BerryError `bad-data` for anything else
 */
export function unpackKernel(file: Uint8Array, name: string): KernelImage {
  return readImage(unwrap(file, name), name);
}

function unwrap(file: Uint8Array, name: string): Uint8Array {
  if (file[0] === 0x1f && file[1] === 0x8b) return decompress(name, () => gunzipSync(file));
  const isZboot = ascii(file, 0, 2) === "MZ" && ascii(file, 4, 4) === "zimg";
  if (!isZboot || file.length < headerLength) return file;
  const header = viewOf(file);
  const start = header.getUint32(8, true);
  const payload = file.subarray(start, start + header.getUint32(12, true));
  const compression = ascii(file, 24, 32).replace(/\0.*$/s, "");
  if (compression === "gzip") return decompress(name, () => gunzipSync(payload));
  if (compression.startsWith("zstd")) return decompress(name, () => zstdDecompressSync(payload));
  throw new BerryError(
    "bad-data",
    `kernel ${name} is a zboot image compressed with ${compression}, which berry cannot unpack`,
    {
      hint: "put an uncompressed Image, or one compressed by gzip or zstd, on the boot partition",
    },
  );
}

function readImage(image: Uint8Array, name: string): KernelImage {
  if (image.length < headerLength) {
    throw new BerryError("bad-data", `kernel ${name} is no arm64 kernel: it has ${image.length} bytes`);
  }
  const header = viewOf(image);
  if (header.getUint32(0x38, true) !== arm64Magic) {
    const found = header.getUint32(0x24, true) === arm32Magic ? "a 32-bit ARM kernel" : "no arm64 kernel";
    throw new BerryError(
      "bad-data",
      `kernel ${name} is ${found}: the arm64 magic number at offset 0x38 is missing`,
      {
        hint: "berry boots 64-bit kernels; look at kernel= in config.txt on the boot partition",
      },
    );
  }
  const pageSizes = [null, 4, 16, 64] as const;
  return { image, pageKiB: pageSizes[(header.getUint8(0x18) >> 1) & 3] ?? null };
}

function decompress(name: string, unpack: () => Uint8Array): Uint8Array {
  try {
    return unpack();
  } catch (cause) {
    throw new BerryError("bad-data", `kernel ${name} cannot be decompressed: ${messageOf(cause)}`, { cause });
  }
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

function ascii(file: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...file.subarray(offset, offset + length));
}
