import { constants } from "node:fs";
import {
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { BerryError, codeOf } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { PartRecord } from "./decisions.ts";
import type { Sink } from "./http-attempt.ts";

const recordSchema = z.strictObject({
  url: z.string(),
  validator: z.string().nullable(),
  totalBytes: z.number().int().min(0).nullable(),
});

/** The paths that belong to one file of the cache. */
export interface PartPaths {
  readonly file: string;
  /** Grows while the file is downloaded. */
  readonly part: string;
  /** Holds the `PartRecord` of `part`. */
  readonly record: string;
}

export function partPaths(file: string): PartPaths {
  return { file, part: `${file}.part`, record: `${file}.part.json` };
}

/** Makes the folder, for its owner alone. */
export async function makeFolder(path: string): Promise<void> {
  await guard(path, () => mkdir(path, { recursive: true, mode: 0o700 }));
}

/** Length of a file in bytes; null: there is none. @throws BerryError when it is something else than a file */
export async function fileBytes(path: string): Promise<number | null> {
  const found = await guard(path, () => ifExists(() => stat(path)));
  if (found === null) return null;
  if (found.isFile()) return found.size;
  throw new BerryError("cannot-create", `${path} is in the way: it is not a file`, {
    hint: `move it away: mv ${path} ${path}.old`,
  });
}

/** null: there is none, or it is not readable as one, which is as good as none. */
export async function readRecord(paths: PartPaths): Promise<PartRecord | null> {
  const text = await guard(paths.record, () => ifExists(() => readFile(paths.record, "utf8")));
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Removes the part and its record, if they are there. */
export async function removePart(paths: PartPaths): Promise<void> {
  await removeFile(paths.part);
  await removeFile(paths.record);
}

export async function removeFile(path: string): Promise<void> {
  await guard(path, () => rm(path, { force: true }));
}

/**
 * Opens the part for writing from `offset` on and cuts off what lies beyond.
 * The record is written before the first byte, so that a part never outlives what is known of it.
 *
 * @throws BerryError `cannot-create` when the rest of the file does not fit on the disk
 */
export async function openPart(paths: PartPaths, record: PartRecord, offset: number): Promise<Sink> {
  if (offset === 0) await removePart(paths);
  await checkRoom(paths, record, offset);
  await guard(paths.record, () => writeFile(paths.record, `${JSON.stringify(record)}\n`, { mode: 0o600 }));
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
  const handle = await guard(paths.part, () => open(paths.part, flags, 0o600));
  let position = offset;
  try {
    await guard(paths.part, () => handle.truncate(offset));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    async write(chunk) {
      let written = 0;
      while (written < chunk.length) {
        const { bytesWritten } = await guard(paths.part, () =>
          handle.write(chunk, written, chunk.length - written, position),
        );
        written += bytesWritten;
        position += bytesWritten;
      }
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
    },
  };
}

async function checkRoom(paths: PartPaths, record: PartRecord, offset: number): Promise<void> {
  if (record.totalBytes === null) return;
  const missing = record.totalBytes - offset;
  const { bavail, bsize } = await guard(paths.part, () => statfs(dirname(paths.part)));
  const free = bavail * bsize;
  if (free >= missing) return;
  throw new BerryError(
    "cannot-create",
    `no room for ${record.url}: ${formatBytes(missing)} are missing, ${dirname(paths.part)} has ${formatBytes(free)} free`,
    { hint: "make room there, or set XDG_CACHE_HOME to a folder on a larger disk" },
  );
}

/** Gives the part its final name, once what it holds is on the disk. */
export async function publishPart(paths: PartPaths): Promise<void> {
  await guard(paths.part, async () => {
    await withHandle(await open(paths.part, "r+"), (handle) => handle.sync());
    await rename(paths.part, paths.file);
    await rm(paths.record, { force: true });
    await withHandle(await open(dirname(paths.file), "r"), (handle) => handle.sync());
  });
}

/** Writes a small file whole or not at all. */
export async function publishBytes(path: string, content: Uint8Array): Promise<void> {
  const paths = partPaths(path);
  await guard(path, () => writeFile(paths.part, content, { mode: 0o600 }));
  await publishPart(paths);
}

async function withHandle(handle: FileHandle, act: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await act(handle);
  } finally {
    await handle.close();
  }
}

async function ifExists<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Says in words what the file system refused. */
async function guard<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = codeOf(cause) ?? "";
    if (["ENOSPC", "EDQUOT"].includes(code)) {
      throw new BerryError("cannot-create", `no room left on the disk of ${path}`, {
        hint: "make room and run it again: it goes on where it stopped; XDG_CACHE_HOME moves the cache to another disk",
        cause,
      });
    }
    if (["EACCES", "EPERM", "EROFS"].includes(code)) {
      throw new BerryError("no-permission", `${path} may not be written`, {
        hint: `see who owns it: ls -ld ${dirname(path)}`,
        cause,
      });
    }
    throw new BerryError("io", `cannot write ${path}`, { hint: "check the disk: dmesg | tail", cause });
  }
}
