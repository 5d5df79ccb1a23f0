import { dlopen } from "bun:ffi";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { MiB } from "../../core/units.ts";

/** A range of a file that is mapped, in bytes; `end` is the first byte behind it. */
type Range = readonly [start: number, end: number];

/**
 * Copies a file's mapped ranges, zeros among them too, and leaves the holes as they are. cp(1) knows no such thing:
 * it makes holes of zeros (--sparse=auto, for a file that has any hole) or zeros of holes (--sparse=never).
 * What the kernel can share between the two files, it shares (copy_file_range(2)).
 */
export async function copyMapped(from: string, to: string, signal: AbortSignal): Promise<void> {
  await using source = await open(from, "r");
  await using target = await open(to, "wx", 0o600);
  const { size } = await source.stat();
  await target.truncate(size);
  using kernel = openKernel();
  for (const range of mappedRanges(kernel, source.fd, size)) {
    for (let at = range[0]; at < range[1];) {
      signal.throwIfAborted();
      // the call blocks: others have their turn between two of them
      await setImmediate();
      const wanted = Math.min(range[1] - at, pieceBytes);
      const copied = kernel.copyFileRange(source.fd, target.fd, at, wanted);
      // 0 and -1: not between these two file systems, or not by this one; whatever is wrong, reading and writing tells it
      at += copied > 0 ? copied : await copyByReading(source, target, at, wanted);
    }
  }
}

const pieceBytes = 16 * MiB;

/** By lseek(2). A file system that knows no holes says that all is data. */
export function mappedRanges(kernel: Pick<Kernel, "seek">, descriptor: number, size: number): Range[] {
  const ranges: Range[] = [];
  for (let at = 0; at < size;) {
    const start = kernel.seek(descriptor, at, "data");
    if (start === null) break;
    at = kernel.seek(descriptor, start, "hole") ?? size;
    ranges.push([start, at]);
  }
  return ranges;
}

async function copyByReading(
  source: FileHandle,
  target: FileHandle,
  at: number,
  length: number,
): Promise<number> {
  const { bytesRead, buffer } = await source.read(new Uint8Array(Math.min(length, MiB)), { position: at });
  for (let written = 0; written < bytesRead;)
    written += (await target.write(buffer, written, bytesRead - written, at + written)).bytesWritten;
  // the file became shorter: the rest of it is a hole
  return bytesRead === 0 ? length : bytesRead;
}

interface Kernel extends Disposable {
  /** null: there is none behind. */
  readonly seek: (descriptor: number, at: number, what: "data" | "hole") => number | null;
  /** Bytes that were copied to the same place of the other file; below 1: none. */
  readonly copyFileRange: (from: number, to: number, at: number, length: number) => number;
}

/** What node:fs does not have. */
function openKernel(): Kernel {
  const libc = dlopen("libc.so.6", {
    lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
    copy_file_range: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: "i64" },
  });
  const whence = { data: 3, hole: 4 } as const;
  return {
    seek: (descriptor, at, what) => {
      const found = Number(libc.symbols.lseek(descriptor, BigInt(at), whence[what]));
      return found < 0 ? null : found;
    },
    copyFileRange: (from, to, at, length) => {
      const [there, here] = [BigInt64Array.of(BigInt(at)), BigInt64Array.of(BigInt(at))];
      return Number(libc.symbols.copy_file_range(from, there, to, here, BigInt(length), 0));
    },
    [Symbol.dispose]: () => libc.close(),
  };
}
