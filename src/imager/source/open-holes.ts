import { dlopen } from "bun:ffi";
import { extent } from "./extents.ts";
import type { Extent } from "./image-map.ts";

const seekSet = 0;
const seekData = 3;
const seekHole = 4;

/**
 * Where a file has data, as lseek(2) tells; all of it where the file system does not know holes.
 * Moves the descriptor's own position, to the beginning in the end.
 */
export function dataExtents(fileDescriptor: number, sizeBytes: number): Extent[] {
  const libc = dlopen("libc.so.6", { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  try {
    const seek = (offset: number, whence: number): number =>
      Number(libc.symbols.lseek(fileDescriptor, BigInt(offset), whence));
    const found: Extent[] = [];
    let position = 0;
    while (position < sizeBytes) {
      const begin = seek(position, seekData);
      if (begin < 0) {
        // ENXIO, no more data, and EINVAL, no support, look alike here: the latter knows no hole either
        if (seek(position, seekHole) < 0) return [extent(0, sizeBytes)];
        break;
      }
      const end = seek(begin, seekHole);
      if (end <= begin) return [extent(0, sizeBytes)];
      found.push(extent(begin, Math.min(end, sizeBytes) - begin));
      position = end;
    }
    return found;
  } finally {
    libc.symbols.lseek(fileDescriptor, 0n, seekSet);
    libc.close();
  }
}
