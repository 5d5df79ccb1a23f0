import { byName, identityOf } from "../software/compose-software.ts";
import type { PackageOrigin, RootfsTarball, Software, SoftwarePackage } from "../software/software.ts";

/** A package as berry.lock pins it. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly origin: PackageOrigin;
  /** Of the package file; null: it came in the tarball, which has a digest, or by the script. */
  readonly sha256: string | null;
  /** Installed on the way, and no longer there in the end: a bake needs it all the same. */
  readonly removed: boolean;
}

/** What one node's image was made of. */
export interface LockedImage {
  readonly target: string;
  readonly rootfs: RootfsTarball | null;
  /** SHA-256 of the berry in the image. */
  readonly berrySha256: string | null;
  /** By name. */
  readonly packages: readonly LockedPackage[];
}

/** What berry.lock says, by node. */
export type Lock = Readonly<Record<string, LockedImage>>;

export function lockedImage({ target, rootfs, berry, packages, removed }: Software): LockedImage {
  const kept = new Set(packages.map(identityOf));
  const gone = new Map(
    removed.filter((each) => !kept.has(identityOf(each))).map((each) => [identityOf(each), each]),
  );
  return {
    target,
    rootfs,
    berrySha256: berry?.sha256 ?? null,
    packages: [
      ...packages.map((each) => lockedPackage(each, false)),
      ...[...gone.values()].map((each) => lockedPackage(each, true)),
    ].toSorted(byName),
  };
}

function lockedPackage(
  { name, version, architecture, origin, sha256 }: SoftwarePackage,
  removed: boolean,
): LockedPackage {
  return { name, version, architecture, origin, sha256, removed };
}

/** The entries of images that were baked replace the old ones; nodes that berry.toml no longer has are forgotten. */
export function updateLock(lock: Lock, baked: Lock, nodes: readonly string[]): Lock {
  const all = { ...lock, ...baked };
  return Object.fromEntries(
    nodes.flatMap((node) => {
      const image = Object.hasOwn(all, node) ? all[node] : undefined;
      return image === undefined ? [] : [[node, image] as const];
    }),
  );
}
