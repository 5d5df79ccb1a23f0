/** Where a package came from: inside the tarball of the root file system, from a mirror, by --berry, or by the script of berry.toml. */
export type PackageOrigin = "rootfs" | "mirror" | "file" | "script";

/** A package as the database of the image's package manager lists it. */
export interface DatabasePackage {
  readonly name: string;
  /** With epoch and release, as the package manager writes it. */
  readonly version: string;
  /** Of the package: `aarch64`, `arm64`, `any` or `all`. */
  readonly architecture: string;
  /** What it was built from, where that has another name or version; advisories are written for it. */
  readonly source: { readonly name: string; readonly version: string | null } | null;
  /** As the database writes them; empty where it knows none. */
  readonly licences: readonly string[];
}

export interface SoftwarePackage extends DatabasePackage {
  readonly origin: PackageOrigin;
  /** Of the package file, 64 lower-case hexadecimal digits; null: it came in the tarball, or by the script. */
  readonly sha256: string | null;
}

/** os-release(5) of the image. */
export interface OperatingSystem {
  /** ID, such as `debian` or `archarm`. */
  readonly id: string;
  /** VERSION_ID; null: a rolling release. */
  readonly version: string | null;
  /** PRETTY_NAME. */
  readonly title: string;
}

export interface RootfsTarball {
  readonly url: string;
  readonly sha256: string;
  /** Fingerprint of the primary key, 40 upper-case hexadecimal digits. */
  readonly signingKey: string;
}

export interface BerryProgram {
  readonly sha256: string;
  /** null: another berry than the one that bakes. */
  readonly version: string | null;
}

/** What an image is made of. */
export interface Software {
  /** Name of the target. */
  readonly target: string;
  readonly family: "apt" | "pacman";
  readonly system: OperatingSystem;
  readonly rootfs: RootfsTarball | null;
  readonly berry: BerryProgram | null;
  /** Exactly those that the package manager lists, by name. */
  readonly packages: readonly SoftwarePackage[];
  /** Installed on the way, and no longer there in the end. */
  readonly removed: readonly SoftwarePackage[];
}

/** What a layer notes beside its tree, as texts that need no berry to be made. */
export interface LayerNotes {
  readonly origin: PackageOrigin;
  /** dpkg's status, or pacman's desc files one after the other. */
  readonly database: string;
  /** Lines of sha256sum(1) for the files that the layer installed: packages, or the tarball. */
  readonly digests: string;
  readonly osRelease: string;
}
