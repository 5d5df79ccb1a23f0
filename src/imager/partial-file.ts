import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError } from "../core/errors.ts";

/** A file in the making, which its own user alone may read. Disposing removes it unless it was published. */
export interface PartialFile extends Disposable {
  readonly path: string;
  readonly fileDescriptor: number;
  /** Gives it its name, in place of what had it. It must be synced. */
  publish(): void;
}

/**
 * Opens a file beside the one that it will become, and removes those that killed processes left there.
 * @throws BerryError `cannot-create`
 */
export async function openPartial(target: string): Promise<PartialFile> {
  const folder = dirname(target);
  const prefix = `.${basename(target)}.`;
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const owner = /^(\d+)\.partial$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : "")?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) rmSync(join(folder, name), { force: true });
  }
  const path = join(folder, `${prefix}${process.pid}.partial`);
  let fileDescriptor: number;
  try {
    rmSync(path, { force: true });
    fileDescriptor = openSync(path, "wx+", 0o600);
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot make ${target}`, { cause });
  }
  let isPublished = false;
  return {
    path,
    fileDescriptor,
    publish() {
      try {
        renameSync(path, target);
      } catch (cause) {
        throw new BerryError("cannot-create", `cannot make ${target}`, { cause });
      }
      isPublished = true;
    },
    [Symbol.dispose]() {
      closeSync(fileDescriptor);
      if (!isPublished) rmSync(path, { force: true });
    },
  };
}

/** Makes what was renamed and removed in a folder last. */
export function syncFolder(folder: string): void {
  const fileDescriptor = openSync(folder, "r");
  try {
    fsyncSync(fileDescriptor);
  } finally {
    closeSync(fileDescriptor);
  }
}
