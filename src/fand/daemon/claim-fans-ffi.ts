import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BerryError, codeOf } from "../../core/errors.ts";
import { tryLock } from "./flock-ffi.ts";
import { refusalOfFile } from "./run-folder-file.ts";

/** Whoever only asks holds the lock for a moment: so often, so far apart, it is asked for again. */
const attempts = 5;
const attemptMilliseconds = 10;

/** The right to drive this machine's fans. */
export interface Claim extends Disposable {
  /**
   * Makes the lock anew where somebody has removed it: one lstat(2) where nobody has.
   * @throws BerryError `temporary` where another process has taken the fans since then
   */
  keep(): void;
}

/**
 * Makes this process the only one that drives this machine's fans, until it is disposed of. The kernel gives the
 * lock back whatever becomes of the process, and no child inherits it. Touches no fan, and nothing else in the folder.
 * @param runFolder such as /run/berry; made where there is none
 * @throws BerryError `temporary` where another process drives them, `no-permission`, `cannot-create`, `io`
 */
export function claimFans(runFolder: string): Claim {
  const path = lockOf(runFolder);
  let file: number | null = takeLock(runFolder, path);
  return {
    keep() {
      if (file === null || isSameFile(file, path)) return;
      const next = takeLock(runFolder, path);
      closeSync(file);
      file = next;
    },
    [Symbol.dispose]() {
      if (file !== null) closeSync(file);
      file = null;
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
    const code = codeOf(thrown);
    if (code === "ENOENT") return false;
    throw code === "ELOOP" ? refusalOfFile(path, thrown) : thrown;
  }
  try {
    return !tryLock(file, "shared", path);
  } finally {
    closeSync(file);
  }
}

function takeLock(runFolder: string, path: string): number {
  for (let left = attempts; ; left -= 1) {
    const file = openLock(runFolder, path);
    try {
      fchmodSync(file, 0o600);
      if (tryLock(file, "exclusive", path)) {
        // it may have been removed, and made anew by another, since it was opened
        if (isSameFile(file, path)) {
          sign(file, path);
          return file;
        }
      } else if (left <= 1) throw taken(file);
    } catch (thrown) {
      closeSync(file);
      throw thrown;
    }
    closeSync(file);
    Bun.sleepSync(attemptMilliseconds);
  }
}

function openLock(runFolder: string, path: string): number {
  try {
    mkdirSync(runFolder, { recursive: true, mode: 0o755 });
    // nobody else may open it: whoever can read a file can lock it
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (thrown) {
    throw refusalOfFile(path, thrown);
  }
}

/** For whoever finds it taken. */
function sign(file: number, path: string): void {
  try {
    ftruncateSync(file, 0);
    writeSync(file, `${process.pid}\n`, 0);
  } catch (thrown) {
    throw refusalOfFile(path, thrown);
  }
}

function isSameFile(file: number, path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const held = fstatSync(file);
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}

function lockOf(runFolder: string): string {
  return join(runFolder, "lock");
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
