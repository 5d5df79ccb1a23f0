import type { LockedImage } from "./lock/lock.ts";

/** Resolves and downloads packages with the host's apt; what is selected is linked into `into`. */
export interface FetchDebs {
  readonly do: "fetch-debs";
  readonly config: string;
  /** Shared between bakes: apt verifies what lies there. */
  readonly archives: string;
  readonly packages: readonly string[];
  readonly into: string;
  /** Leaves out what this folder holds already. */
  readonly except: string | null;
}

/** Unpacks packages as plain archives, without maintainer scripts. */
export interface UnpackDebs {
  readonly do: "unpack-debs";
  readonly from: string;
  readonly into: string;
}

/** The host's dpkg on the image's tree: unpacks natively, runs maintainer scripts in the chroot. */
export interface InstallDebs {
  readonly do: "install-debs";
  readonly root: string;
  readonly action: { readonly unpack: string } | "configure";
}

/**
 * Binds programs of the host's architecture over the image's own, from packages of the same release
 * unpacked at `tools`, until the layer is whole: scripts then run natively. Never part of the image.
 */
export interface NativeTools {
  readonly do: "native-tools";
  readonly root: string;
  readonly tools: string;
  /** The multiarch folder of the host's architecture, such as `x86_64-linux-gnu`. */
  readonly libraries: string;
  /** Programs that must answer as the image's architecture, or that handle its libraries. */
  readonly except: readonly string[];
}

/** Takes native tools back, all but `keep`: what follows copies programs, and must find the image's own. */
export interface ReturnTools {
  readonly do: "return-tools";
  readonly root: string;
  readonly keep: readonly string[];
  readonly libraries: string;
  /** Beginnings of names of libraries that are taken back as well. */
  readonly withoutLibraries: readonly string[];
}

/** Binds a program over `path` that only notes that it was called; `shown: true` takes it away again. */
export interface HideProgram {
  readonly do: "hide-program";
  readonly root: string;
  readonly path: string;
  readonly shown: boolean;
}

/** Looks into every initrd.img of `folder`: its programs must be of the image's architecture. */
export interface CheckInitramfs {
  readonly do: "check-initramfs";
  readonly root: string;
  readonly folder: string;
  readonly architecture: string;
}

/** A GnuPG folder that trusts the keys of the image's keyring package, without a secret key. */
export interface PacmanKeyring {
  readonly do: "pacman-keyring";
  readonly root: string;
  /** Name of KEYRING.gpg, KEYRING-trusted and KEYRING-revoked in /usr/share/pacman/keyrings. */
  readonly keyring: string;
  readonly folder: string;
}

/** Removes those of `packages` that pacman's database in the image has. */
export interface RemovePackages {
  readonly do: "remove-packages";
  readonly root: string;
  readonly packages: readonly string[];
  /** What removes; the packages are added. */
  readonly argv: readonly string[];
  readonly emulated: boolean;
}

/** Refuses what berry.lock does not have, before it is installed. It changes nothing, and so is no part of a layer's key. */
export interface CheckLock {
  readonly do: "check-lock";
  readonly root: string;
  readonly locked: LockedImage;
  /** What would be installed. */
  readonly found:
    | { readonly kind: "tarball"; readonly path: string; readonly url: string; readonly signingKey: string }
    | Extract<InstalledFiles, { kind: "folders" }>
    | {
        readonly kind: "pacman";
        /** Pacman's words, without those that say what it shall do with the packages. */
        readonly argv: readonly string[];
        readonly emulated: boolean;
        readonly cache: string;
        readonly upper: string;
      };
}

/** Notes the packages of a tree and the digests of the files that they were installed from, beside the tree. */
export interface ListSoftware {
  readonly do: "list-software";
  readonly root: string;
  readonly database: "dpkg" | "pacman";
  readonly files: InstalledFiles;
  /** The layer's folder. */
  readonly into: string;
}

/** The files that a layer installs. */
export type InstalledFiles =
  | { readonly kind: "none" }
  | { readonly kind: "file"; readonly path: string }
  /** All that lie there. */
  | { readonly kind: "folders"; readonly folders: readonly string[] }
  /** Those of pacman's cache that the layer's own entries of the local database name. */
  | { readonly kind: "pacman"; readonly cache: string; readonly upper: string };
