import { dpkgPackages, fileNameOf, operatingSystem, pacmanPackages } from "./databases.ts";
import type {
  BerryProgram,
  LayerNotes,
  OperatingSystem,
  PackageOrigin,
  Software,
  SoftwarePackage,
} from "./software.ts";

/** Where an image's software is told, and what the notes of its layers do not tell. */
export interface SoftwareSources {
  /** Name of the target. */
  readonly target: string;
  readonly family: "apt" | "pacman";
  readonly rootfs: { readonly url: string; readonly signingKey: string } | null;
  readonly berry: BerryProgram | null;
  /** Folders of its layers, lowest first. */
  readonly layers: readonly { readonly directory: string; readonly origin: PackageOrigin }[];
}

/** @param layers the notes of `sources.layers`, in their order */
export function imageSoftware(sources: SoftwareSources, layers: readonly LayerNotes[]): Software {
  const { target, family, rootfs, berry } = sources;
  const { tarballSha256, ...composed } = composeSoftware(family, layers);
  return {
    target,
    family,
    rootfs: rootfs === null || tarballSha256 === null ? null : { ...rootfs, sha256: tarballSha256 },
    berry,
    ...composed,
  };
}

export interface ComposedSoftware {
  readonly system: OperatingSystem;
  /** SHA-256 of the tarball; null: the lowest layer is made of packages. */
  readonly tarballSha256: string | null;
  readonly packages: readonly SoftwarePackage[];
  readonly removed: readonly SoftwarePackage[];
}

/**
 * What a tree holds after its layers, lowest first. A package belongs to the lowest layer since which it is
 * there in the same version, unless a higher one installed a file of it again.
 */
export function composeSoftware(family: "apt" | "pacman", layers: readonly LayerNotes[]): ComposedSoftware {
  let packages: readonly SoftwarePackage[] = [];
  let removed: readonly SoftwarePackage[] = [];
  let tarballSha256: string | null = null;
  for (const layer of layers) {
    const digests = digestsOf(layer.digests);
    if (layer.origin === "rootfs") tarballSha256 = [...digests.values()][0] ?? null;
    const before = new Map(packages.map((each) => [identityOf(each), each]));
    const listed = family === "apt" ? dpkgPackages(layer.database) : pacmanPackages(layer.database);
    const after = listed.map((each): SoftwarePackage => {
      const sha256 = layer.origin === "rootfs" ? null : (digests.get(fileNameOf(family, each)) ?? null);
      const known = before.get(identityOf(each));
      return known !== undefined && sha256 === null ? known : { ...each, origin: layer.origin, sha256 };
    });
    const kept = new Set(after.map(identityOf));
    const gone = packages.filter((each) => each.origin !== "rootfs" && !kept.has(identityOf(each)));
    removed = [...removed, ...gone];
    packages = after;
  }
  return {
    system: operatingSystem(layers.at(-1)?.osRelease ?? ""),
    tarballSha256,
    packages: packages.toSorted(byName),
    removed: removed.toSorted(byName),
  };
}

/** What tells two packages apart, but for their files. */
export function identityOf({
  name,
  version,
  architecture,
}: Pick<SoftwarePackage, "name" | "version" | "architecture">): string {
  return `${name} ${version} ${architecture}`;
}

/** By code units: the same order in every locale. */
export function byName(
  one: Pick<SoftwarePackage, "name" | "version" | "architecture">,
  other: Pick<SoftwarePackage, "name" | "version" | "architecture">,
): number {
  const [left, right] = [identityOf(one), identityOf(other)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By the name of the file, without folders; the compression's ending of pacman's packages is left out. */
function digestsOf(lines: string): Map<string, string> {
  return new Map(
    [...lines.matchAll(/^([0-9a-f]{64}) [ *](?:.*\/)?([^/\n]+)$/gm)].map(([, sha256 = "", file = ""]) => [
      file.replace(/(\.pkg\.tar)\.\w+$/, "$1"),
      sha256,
    ]),
  );
}
