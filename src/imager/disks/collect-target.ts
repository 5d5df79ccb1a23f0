import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { majorMinorOf } from "./collect-keep-paths.ts";
import type { NamedFile } from "./choose-disk.ts";

/** Looks at what a user named as the place to write to; opens nothing. */
export async function lookAtTarget(named: string): Promise<NamedFile> {
  const path = resolve(named);
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    const type = stats.isBlockDevice()
      ? "block"
      : stats.isFile()
        ? "file"
        : stats.isDirectory()
          ? "folder"
          : "other";
    return { named, path, real, type, majorMinor: stats.isBlockDevice() ? majorMinorOf(stats.rdev) : null };
  } catch {
    return { named, path, real: path, type: "missing", majorMinor: null };
  }
}
