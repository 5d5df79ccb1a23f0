import { lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { BerryError, isMissing } from "../../core/errors.ts";

const linkLimit = 40;

/**
 * The host's path of `path` inside the tree at `root`, every symbolic link on the way followed as
 * a chroot would follow it: absolute targets start at `root`, `..` stops there. The last component
 * is not followed, and need not exist.
 *
 * @throws BerryError `bad-data` after 40 links, as path_resolution(7)
 */
export async function pathInRoot(root: string, path: string): Promise<string> {
  const parent = await realPathInRoot(root, posix.dirname(posix.normalize(path)));
  const name = posix.basename(posix.normalize(path));
  return name === "" ? parent : join(parent, name);
}

/** Like `pathInRoot`, the last component followed too. */
export async function realPathInRoot(root: string, path: string): Promise<string> {
  let pending = posix.normalize(`/${path}`).split("/").filter(Boolean);
  let reached: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [name, ...rest] = pending;
    pending = rest;
    if (name === undefined || name === ".") continue;
    if (name === "..") {
      reached = reached.slice(0, -1);
      continue;
    }
    const here = join(root, ...reached, name);
    const target = await linkTarget(here);
    if (target === null) {
      reached.push(name);
      continue;
    }
    links += 1;
    if (links > linkLimit) throw new BerryError("bad-data", `too many symbolic links in the image: ${path}`);
    if (target.startsWith("/")) reached = [];
    pending = [...target.split("/").filter(Boolean), ...pending];
  }
  return join(root, ...reached);
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    const stats = await lstat(path);
    return stats.isSymbolicLink() ? await readlink(path) : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
