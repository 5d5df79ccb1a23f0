import { dlopen } from "bun:ffi";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { MiB } from "../../core/units.ts";
import { dataExtents } from "../source/open-holes.ts";

const pieceBytes = 16 * MiB;

/**
 * Copies a file's mapped ranges, zeros among them too, and leaves the holes as they are. cp(1) knows no such thing:
 * it makes holes of zeros (--sparse=auto, for a file that has any hole) or zeros of holes (--sparse=never).
 * What the kernel can share between the two files, it shares (copy_file_range(2)). `to` must not exist.
 */
export async function copyMapped(from: string, to: string, signal: AbortSignal): Promise<void> {
  await using source = await open(from, "r");
  await using target = await open(to, "wx", 0o600);
  const { size } = await source.stat();
  await target.truncate(size);
  using kernel = openKernel();
  for (const { offsetBytes, lengthBytes } of dataExtents(source.fd, size)) {
    const end = offsetBytes + lengthBytes;
    for (let at = offsetBytes; at < end;) {
      signal.throwIfAborted();
      // the call blocks: others have their turn between two of them
      await setImmediate();
      const wanted = Math.min(end - at, pieceBytes);
      const copied = kernel.copyFileRange(source.fd, target.fd, at, wanted);
      // 0 and -1: not between these two file systems, or not by this one; whatever is wrong, reading and writing tells it
      at += copied > 0 ? copied : await copyByReading(source, target, at, wanted);
    }
  }
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
  /** Bytes that were copied to the same place of the other file; below 1: none. */
  readonly copyFileRange: (from: number, to: number, at: number, length: number) => number;
}

/** What node:fs does not have. */
function openKernel(): Kernel {
  const libc = dlopen("libc.so.6", {
    copy_file_range: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: "i64" },
  });
  return {
    copyFileRange: (from, to, at, length) => {
      const [there, here] = [BigInt64Array.of(BigInt(at)), BigInt64Array.of(BigInt(at))];
      return Number(libc.symbols.copy_file_range(from, there, to, here, BigInt(length), 0));
    },
    [Symbol.dispose]: () => libc.close(),
  };
}
