import { dlopen, read } from "bun:ffi";
import {
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";

const shared = 1;
const exclusive = 2;
const withoutWaiting = 4;

/** errno(3): another has it. */
const EAGAIN = 11;

/** Whoever only asks holds the lock for a moment: so often, so far apart, it is asked for again. */
const attempts = 5;
const attemptMilliseconds = 10;

/**
 * Makes this process the only one that drives this machine's fans, until it is disposed of. The kernel gives the
 * lock back whatever becomes of the process, and no child inherits it. Touches no fan, and nothing else in the folder.
 * @param runFolder such as /run/berry; made where there is none
 * @throws BerryError `temporary` where another process drives them, `no-permission`; what the file system says otherwise
 */
export function claimFans(runFolder: string): Disposable {
  const path = lockOf(runFolder);
  const file = openLock(runFolder, path);
  try {
    fchmodSync(file, 0o600);
    for (let left = attempts; !lock(file, exclusive, path); left -= 1) {
      if (left > 1) Bun.sleepSync(attemptMilliseconds);
      else throw taken(file);
    }
    ftruncateSync(file, 0);
    writeSync(file, `${process.pid}\n`, 0);
  } catch (thrown) {
    closeSync(file);
    throw thrown;
  }
  let isOpen = true;
  return {
    [Symbol.dispose]() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/**
 * Whether a process has claimed the fans.
 * @throws what the file system says: root alone may ask for those of root
 */
export function areFansClaimed(runFolder: string): boolean {
  const path = lockOf(runFolder);
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return false;
    throw thrown;
  }
  try {
    return !lock(file, shared, path);
  } finally {
    closeSync(file);
  }
}

function openLock(runFolder: string, path: string): number {
  try {
    mkdirSync(runFolder, { recursive: true, mode: 0o755 });
    // nobody else may open it: whoever can read a file can lock it
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
    if (code !== "EACCES" && code !== "EPERM") throw thrown;
    throw new BerryError("no-permission", `${path}: may not be written to: fans are driven by root alone`, {
      hint: "run it with sudo",
    });
  }
}

function lockOf(runFolder: string): string {
  return join(runFolder, "lock");
}

/** flock(2). @returns false where another has it */
function lock(file: number, kind: number, path: string): boolean {
  const library = dlopen("libc.so.6", {
    flock: { args: ["int", "int"], returns: "int" },
    __errno_location: { args: [], returns: "ptr" },
  });
  try {
    if (library.symbols.flock(file, kind | withoutWaiting) === 0) return true;
    const place = library.symbols.__errno_location();
    const number = place === null ? 0 : read.i32(place);
    if (number === EAGAIN) return false;
    throw new BerryError("os", `${path}: cannot be locked: error ${number} of flock`);
  } finally {
    library.close();
  }
}

function taken(file: number): BerryError {
  const buffer = Buffer.alloc(32);
  const text = buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0));
  const holder = /^(\d{1,10})\n/.exec(text)?.[1];
  const who = holder === undefined ? "another process" : `process ${holder}`;
  return new BerryError("temporary", `${who} drives the fans of this machine already`, {
    hint: "systemctl stop berry-fand, or end what was started by hand",
  });
}
