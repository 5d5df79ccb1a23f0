import { access, constants, lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "../../core/errors.ts";

/** A folder that a bake writes to, and makes where it is missing. */
export interface Place {
  readonly use: "cache" | "images" | "host keys" | "lock" | "berry.toml";
  /** Absolute. */
  readonly folder: string;
}

/** Why nothing can be written there. */
export interface Obstacle {
  /** The folder, or the nearest one above it that is there. */
  readonly at: string;
  readonly why: "read-only" | "denied" | "no folder";
}

export type BlockedPlace = Place & { readonly obstacle: Obstacle };

/** Those of the places that cannot be written. Nothing is made for it, and nothing written. */
export async function blockedPlaces(places: readonly Place[]): Promise<readonly BlockedPlace[]> {
  const looked = await Promise.all(
    places.map(async (place) => ({ ...place, obstacle: await obstacleTo(place.folder) })),
  );
  return looked.flatMap(({ obstacle, ...place }) => (obstacle === null ? [] : [{ ...place, obstacle }]));
}

/** By access(2), which knows of groups, ACLs, capabilities and read-only mounts; null: it can be written. */
async function obstacleTo(folder: string): Promise<Obstacle | null> {
  const at = await nearestEntry(folder);
  try {
    // a link that leads nowhere keeps a folder from being made, too
    if (!(await stat(at)).isDirectory()) return { at, why: "no folder" };
    await access(at, constants.W_OK | constants.X_OK);
    return null;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === "EROFS") return { at, why: "read-only" };
    return { at, why: code === "EACCES" || code === "EPERM" ? "denied" : "no folder" };
  }
}

/** What is seen at the path, or at the nearest one above: below a folder that may not be entered nothing is. */
async function nearestEntry(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if (at === "/") return at;
    const isSeen = await lstat(at).then(
      () => true,
      () => false,
    );
    if (isSeen) return at;
  }
}
