import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { KeepPath, KeepPaths } from "./disk.ts";

/**
 * What a disk must not hold if it is to be written to: `/`, `/home` and the given paths, such as the image.
 * A path that does not exist counts as the folder above it that does.
 */
export async function collectKeepPaths(more: readonly string[]): Promise<KeepPaths> {
  return await Promise.all([...new Set(["/", "/home", ...more.map((path) => resolve(path))])].map(keepPath));
}

async function keepPath(path: string): Promise<KeepPath> {
  let existing = path;
  for (;;) {
    try {
      const real = await realpath(existing);
      const stats = await stat(real, { bigint: true });
      return {
        path,
        real,
        majorMinor: majorMinorOf(Number(stats.isBlockDevice() ? stats.rdev : stats.dev)),
        inode: existing === path ? inodeOf(stats) : null,
      };
    } catch {
      if (existing === "/") return { path, real: path, majorMinor: null, inode: null };
      existing = dirname(existing);
    }
  }
}

/** `st_dev:st_ino` of a regular file, whatever it is called; null: it is none. Inodes have up to 64 bits. */
export function inodeOf(stats: BigIntStats): string | null {
  return stats.isFile() ? `${stats.dev}:${stats.ino}` : null;
}

/** The kernel's and glibc's encoding of dev_t (gnu_dev_major(3)), for numbers that fit into 44 bits. */
export function majorMinorOf(device: number): string {
  const low = device % 2 ** 32;
  const high = Math.floor(device / 2 ** 32);
  const major = ((low >>> 8) & 0xfff) + (high & 0xfffff000);
  const minor = (low & 0xff) + ((low >>> 12) & 0xfff00) + (high & 0xfff) * 2 ** 20;
  return `${major}:${minor}`;
}
