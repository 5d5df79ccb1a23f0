import { lstatSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Flaw } from "../../config/problem.ts";

/** What of a file or folder says who may change it. */
interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * What lets others than root and `uid` change what `path` says: the file, its folders, those of a link's target.
 * A folder with the sticky bit, such as /tmp, lets nobody replace what is another's.
 * @throws what lstat(2) throws
 */
export function findExposure(path: string, uid: number): Flaw | null {
  const seen = new Set<string>();
  for (const start of [realpathSync(path), resolve(path)]) {
    for (let place = start; !seen.has(place); place = dirname(place)) {
      seen.add(place);
      const flaw = judge(place, lstatSync(place), uid);
      if (flaw !== null) return flaw;
    }
  }
  return null;
}

function judge(
  place: string,
  owned: Owned & { isSymbolicLink(): boolean; isDirectory(): boolean },
  uid: number,
): Flaw | null {
  if (owned.uid !== 0 && owned.uid !== uid)
    return {
      problem: `${place} belongs to another user`,
      found: `user ${owned.uid}`,
      remedy: `chown root ${place}`,
    };
  if (owned.isSymbolicLink()) return null;
  const isSticky = owned.isDirectory() && (owned.mode & 0o1000) !== 0;
  const writers = (owned.gid === 0 ? 0o002 : 0o022) & owned.mode;
  if (writers === 0 || isSticky) return null;
  return {
    problem: `others may write to ${place}`,
    found: `mode ${(owned.mode & 0o7777).toString(8).padStart(4, "0")}`,
    remedy: `chmod go-w ${place}`,
  };
}
