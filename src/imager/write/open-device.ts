import { dlopen, ptr } from "bun:ffi";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BerryError, codeOf } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";

/** A block device that this process alone may write to. Offsets and lengths are multiples of its sector. */
export interface OpenDevice extends AsyncDisposable {
  readonly path: string;
  /** st_rdev of what was really opened. */
  readonly deviceNumber: number;
  /** false: the kernel refused O_DIRECT; the page cache is kept small and emptied before reading back. */
  readonly isDirect: boolean;
  /** Fills the target. @throws BerryError `io` */
  read(target: Uint8Array, offsetBytes: number): Promise<void>;
  /** Writes all of the source. @throws BerryError `io` */
  write(source: Uint8Array, offsetBytes: number): Promise<void>;
  /** What was written is on the medium, and what is read next comes from there. @throws BerryError `io` */
  flush(): Promise<void>;
  /** Best effort: the kernel looks at the new partition table. */
  rereadPartitions(): void;
}

const directAlignment = 4096;
/** Without O_DIRECT, so much may be dirty. */
const windowBytes = 32 * MiB;

const lockExclusiveNonBlocking = 2 | 4;
/** udev locks a card for a moment, to look at it when it was put in. */
const lockAttempts = 50;
const lockMilliseconds = 100;
/** <linux/fs.h>: `_IO(0x12, 97)` and `_IO(0x12, 95)`. */
const BLKFLSBUF = 0x1261;
const BLKRRPART = 0x125f;
/** posix_fadvise(2), the same on x86_64 and arm64. */
const POSIX_FADV_DONTNEED = 4;

/** Memory that unbuffered requests accept: it begins on a page. */
export function alignedBuffer(lengthBytes: number): Uint8Array {
  const memory = new Uint8Array(lengthBytes + directAlignment);
  const skip = (directAlignment - (ptr(memory) % directAlignment)) % directAlignment;
  return memory.subarray(skip, skip + lengthBytes);
}

/**
 * Opens for reading and writing, exclusively (O_EXCL of a block device: nobody has it or a partition of it mounted
 * or claimed) and past the page cache (O_DIRECT), and locks it, so that udev leaves it alone meanwhile
 * (systemd's "Locking Block Device Access").
 *
 * @throws BerryError `temporary` when it is in use, `no-permission`, `unavailable`, `io`
 */
export async function openDevice(path: string): Promise<OpenDevice> {
  const { handle, isDirect } = await openExclusively(path);
  await using undo = new AsyncDisposableStack();
  const system = systemCalls();
  undo.defer(() => {
    system.close();
  });
  undo.defer(async () => await handle.close());
  const { rdev, mode } = await handle.stat();
  if ((mode & constants.S_IFMT) !== constants.S_IFBLK)
    throw new BerryError("usage", `${path} is not a block device`);
  for (let left = lockAttempts; system.symbols.flock(handle.fd, lockExclusiveNonBlocking) !== 0; left -= 1) {
    if (left === 0) throw inUse(path, "another program has locked it");
    await sleep(lockMilliseconds);
  }
  let unsettledBytes = 0;
  const owned = undo.move();
  return {
    path,
    deviceNumber: rdev,
    isDirect,
    async read(target, offsetBytes) {
      let done = 0;
      while (done < target.length) {
        const { bytesRead } = await told(path, "reading", offsetBytes + done, () =>
          handle.read(target, done, target.length - done, offsetBytes + done),
        );
        if (bytesRead === 0) throw shrunk(path, offsetBytes + done);
        done += bytesRead;
      }
    },
    async write(source, offsetBytes) {
      let done = 0;
      while (done < source.length) {
        const { bytesWritten } = await told(path, "writing", offsetBytes + done, () =>
          handle.write(source, done, source.length - done, offsetBytes + done),
        );
        if (bytesWritten === 0) throw shrunk(path, offsetBytes + done);
        done += bytesWritten;
      }
      unsettledBytes += source.length;
      if (!isDirect && unsettledBytes >= windowBytes) {
        unsettledBytes = 0;
        await told(path, "writing", offsetBytes, () => handle.datasync());
      }
    },
    async flush() {
      await told(path, "flushing", null, () => handle.sync());
      // empties the page cache; only root may, and with O_DIRECT it is not needed
      system.symbols.ioctl(handle.fd, BLKFLSBUF, 0);
      if (!isDirect) system.symbols.posix_fadvise(handle.fd, 0, 0, POSIX_FADV_DONTNEED);
    },
    rereadPartitions() {
      system.symbols.ioctl(handle.fd, BLKRRPART, 0);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function systemCalls() {
  return dlopen("libc.so.6", {
    flock: { args: ["i32", "i32"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "u64"], returns: "i32" },
    posix_fadvise: { args: ["i32", "i64", "i64", "i32"], returns: "i32" },
  });
}

async function openExclusively(path: string): Promise<{ handle: FileHandle; isDirect: boolean }> {
  const flags = constants.O_RDWR | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return { handle: await open(path, flags | directFlag()), isDirect: true };
  } catch (thrown) {
    if (codeOf(thrown) !== "EINVAL") throw openFailure(path, thrown);
  }
  try {
    return { handle: await open(path, flags), isDirect: false };
  } catch (thrown) {
    throw openFailure(path, thrown);
  }
}

/** O_DIRECT is not the same number everywhere: asm-generic/fcntl.h and arch/arm64/include/uapi/asm/fcntl.h. */
function directFlag(): number {
  return process.arch === "arm64" ? 0o200000 : 0o40000;
}

function openFailure(path: string, cause: unknown): BerryError {
  switch (codeOf(cause)) {
    case "EBUSY":
      return inUse(path, "it, or a partition of it, is mounted or claimed");
    case "EACCES":
    case "EPERM":
      return new BerryError("no-permission", `this user may not open ${path}`, { cause });
    case "EROFS":
      return new BerryError("io", `${path} is write-protected`, {
        hint: "look for the little lock on the side of the card or of its adapter",
        cause,
      });
    case "ENOENT":
    case "ENXIO":
    case "ENODEV":
    case "ENOMEDIUM":
      return new BerryError("unavailable", `${path} is gone: the card was taken out`, {
        hint: "put it in again; `berry imager devices` lists what is there",
        cause,
      });
    case null:
    case "":
      return new BerryError("io", `cannot open ${path}`, { cause });
  }
  return new BerryError("io", `cannot open ${path}`, {
    hint: "see what the kernel says: dmesg | tail",
    cause,
  });
}

function inUse(path: string, why: string): BerryError {
  return new BerryError("temporary", `${path} is in use: ${why}`, {
    hint: `see who has it: lsblk ${path}; fuser -v ${path}`,
  });
}

function shrunk(path: string, offsetBytes: number): BerryError {
  return new BerryError("io", `${path} ends at byte ${offsetBytes}, sooner than it said`, {
    hint: "the card lies about its size, or was taken out: use another one",
  });
}

async function told<T>(
  path: string,
  doing: "reading" | "writing" | "flushing",
  offsetBytes: number | null,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = codeOf(cause);
    const where = offsetBytes === null ? path : `${path} at byte ${offsetBytes}`;
    if (code === "ENOSPC") {
      throw new BerryError("io", `${where}: no more room, sooner than it said`, {
        hint: "the card lies about its size: use another one",
        cause,
      });
    }
    if (code === "ENXIO" || code === "ENODEV" || code === "ENOMEDIUM") {
      throw new BerryError("io", `${doing} ${where}: the card is gone`, {
        hint: "it was pulled out or its reader failed: put it in again and run the same with --resume",
        cause,
      });
    }
    throw new BerryError("io", `${doing} ${where} failed`, {
      hint: "the card was pulled, it is worn out, or its reader failed: try another reader or port with --resume, then another card",
      cause,
    });
  }
}
