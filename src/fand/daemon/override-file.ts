import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  type Stats,
} from "node:fs";
import { codeOf } from "../../core/errors.ts";
import { type Override, parseOverrides, renderOverrides } from "./override.ts";
import { replaceFile } from "./run-folder-file.ts";

const mostBytes = 16 * 1024;

/** What was set by hand, as one file says it. */
export interface OverrideFile {
  readonly overrides: readonly Override[];
  /** Why nothing in it is believed; null: nothing is wrong. */
  readonly flaw: string | null;
}

const nothing: OverrideFile = { overrides: [], flaw: null };

/**
 * Looks at a file that may be replaced by another: one lstat(2) a look while nothing has changed. Never throws.
 * @param uid whose file it has to be
 * @returns a function that returns the same object while the file is the same
 */
export function watchOverrides(path: string, uid: number): () => OverrideFile {
  let known = "";
  let file = nothing;
  return () => {
    let now = "";
    try {
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found !== undefined) now = `${found.ino} ${found.ctimeMs} ${found.size}`;
    } catch {
      // a folder that is gone has no file
    }
    if (now !== known) {
      known = now;
      file = now === "" ? nothing : readOverrides(path, uid);
    }
    return file;
  };
}

/** Never throws; a file that is not there says nothing. */
export function readOverrides(path: string, uid: number): OverrideFile {
  let file: number | null = null;
  try {
    // neither a link nor a FIFO leads it astray
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const flaw = flawOf(fstatSync(file), uid);
    if (flaw !== null) return { overrides: [], flaw };
    const bytes = Buffer.alloc(mostBytes);
    const overrides = parseOverrides(bytes.toString("utf8", 0, readSync(file, bytes, 0, mostBytes, 0)));
    return overrides === null ? { overrides: [], flaw: "not what berry writes" } : { overrides, flaw: null };
  } catch (thrown) {
    const code = codeOf(thrown) ?? String(thrown);
    return code === "ENOENT" ? nothing : { overrides: [], flaw: code };
  } finally {
    if (file !== null) closeSync(file);
  }
}

function flawOf(stats: Stats, uid: number): string | null {
  if (!stats.isFile()) return "no plain file";
  if (stats.uid !== uid) return `it belongs to user ${stats.uid}`;
  if ((stats.mode & 0o022) !== 0) return "others may write to it";
  return stats.size > mostBytes ? `${stats.size} bytes` : null;
}

/** Replaces the file in one step; without overrides it is removed. @throws what the file system says */
export function writeOverrides(path: string, overrides: readonly Override[]): void {
  if (overrides.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  replaceFile(path, renderOverrides(overrides), 0o600);
}

/**
 * Seconds since the machine was started, with those in which it slept (CLOCK_BOOTTIME; proc(5), uptime).
 * @param proc `/proc` @returns NaN where the kernel does not say: nothing that was set by hand holds then
 */
export function readBootSeconds(proc: string): number {
  try {
    return Number(readFileSync(`${proc}/uptime`, "utf8").split(" ", 1)[0]);
  } catch {
    return Number.NaN;
  }
}
