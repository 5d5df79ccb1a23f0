import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeByRename } from "../../config/write-by-rename.ts";
import { BerryError, codeOf } from "../../core/errors.ts";
import type { Lock } from "./lock.ts";
import { parseLock } from "./parse-lock.ts";
import { renderLock } from "./render-lock.ts";

/** Beside the cluster file: berry.lock for berry.toml. */
export function lockPath(clusterFile: string): string {
  return clusterFile.replace(/\.toml$/, ".lock");
}

/**
 * null: there is none.
 * @throws BerryError `config` when it is damaged, `no-permission` or `io` when it cannot be read
 */
export async function readLock(path: string): Promise<Lock | null> {
  const text = await readText(path);
  return text === null ? null : parseLock(path, text);
}

/**
 * Replaces the lock by one rename, unless it says the same already.
 * @returns whether anything changed
 * @throws BerryError `cannot-create`
 */
export async function writeLock(path: string, lock: Lock): Promise<boolean> {
  const text = renderLock(lock);
  if ((await readText(path)) === text) return false;
  try {
    await writeByRename(path, text, { ending: "partial" });
    return true;
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot write ${path}`, {
      hint: `the images are whole, but what they are made of is not noted: make ${dirname(path)} writable and bake again, or bake with --locked, which writes no lock`,
      cause,
    });
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT") return null;
    const isDenied = code === "EACCES" || code === "EPERM";
    throw new BerryError(isDenied ? "no-permission" : "io", `${path}: cannot be read`, { cause });
  }
}
