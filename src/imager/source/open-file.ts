import { constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { BerryError, messageOf } from "../../core/errors.ts";
import type { ReadBytes } from "./extents.ts";
import { empty } from "./refusals.ts";

/** A pipe would wait for its writer without O_NONBLOCK. @throws BerryError `no-input` */
export function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new BerryError("no-input", `cannot read the image ${path}`, { cause });
  }
}

/** @throws BerryError `no-input` for what is no regular file, `bad-data` for an empty one */
export function statImage(fileDescriptor: number, path: string): Stats {
  const found = fstatSync(fileDescriptor);
  if (found.isFile()) {
    if (found.size === 0) throw empty(path);
    return found;
  }
  const what = found.isDirectory()
    ? "a folder"
    : found.isBlockDevice()
      ? "a block device"
      : "no regular file";
  throw new BerryError("no-input", `${path} is ${what}: an image is a file`, {
    hint: "name a .img, .img.xz, .img.zst or .img.gz",
  });
}

export function reader(fileDescriptor: number, path: string): ReadBytes {
  return async (offsetBytes, lengthBytes) => {
    const bytes = new Uint8Array(lengthBytes);
    let filled = 0;
    try {
      while (filled < lengthBytes) {
        const count = readSync(fileDescriptor, bytes, filled, lengthBytes - filled, offsetBytes + filled);
        if (count === 0) break;
        filled += count;
      }
    } catch (cause) {
      throw new BerryError("io", `cannot read ${path} at byte ${offsetBytes}: ${messageOf(cause)}`, {
        cause,
      });
    }
    return bytes.subarray(0, filled);
  };
}
