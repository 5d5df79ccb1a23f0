import type { HostKeyType } from "../host-key-types.ts";

/** What the plan has to know of this machine and its files, collected once, before anything is decided. */
export interface HostFacts {
  /** As uname -m says: `x86_64`, `aarch64`, … */
  readonly architecture: string;
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  readonly isRoot: boolean;
  readonly userName: string;
  /** Absolute paths of programs that were found, by name. */
  readonly programs: Readonly<Record<string, string>>;
  /** Static emulators of arm64 that were found, best first. */
  readonly emulators: readonly string[];
  /** Interpreter of an arm64 handler of the host's that holds it open (flag F); null: none. */
  readonly hostHandler: string | null;
  /** Sub-ids of the user: the largest range of each kind; from `firstFree` on, no user has any. */
  readonly subordinateIds: { readonly users: number; readonly groups: number; readonly firstFree: number };
  readonly userNamespaces: UserNamespaces;
  readonly pacmanMajor: number | null;
  /** Of e2fsprogs, such as `1.47.0`; null: unknown. */
  readonly mke2fsVersion: string | null;
  readonly cacheDirectory: string;
  /** Names of the layers in the cache. */
  readonly cachedLayers: readonly string[];
  readonly cacheDisk: DiskFacts;
  readonly outputDisk: DiskFacts;
  /** Whether an image can share the blocks of the packed one in the cache, so that only what differs takes room. */
  readonly imagesShareBlocks: boolean;
  /** Debian's mirror that this host uses itself, with its security mirror; null: it uses none. */
  readonly debianMirror: { readonly url: string; readonly securityUrl: string | null } | null;
  /** Files of /usr/share/keyrings. */
  readonly keyrings: readonly string[];
  /** The berry for the image; null: not found. */
  readonly berry: BerryFile | null;
  /** SOURCE_DATE_EPOCH, in seconds since 1970; null: it is not set. */
  readonly sourceDateEpoch: number | null;
  /** SHA-256 of files that berry.toml names, by absolute path. */
  readonly digests: Readonly<Record<string, string>>;
  /** Types of the SSH host keys that are kept for a node on this host, by its name. */
  readonly hostKeys: Readonly<Record<string, readonly HostKeyType[]>>;
}

/** A program for arm64, or a pacman package of it. */
export interface BerryFile {
  readonly path: string;
  /** Of the file. */
  readonly sha256: string;
  /** What the package says of itself; null: the bare program. */
  readonly package: BerryPackage | null;
}

export interface BerryPackage {
  /** With its release, such as `0.1.0-1`. */
  readonly version: string;
  readonly architecture: "aarch64";
  /** How it is compressed: `zst`, `xz`, … */
  readonly ending: string;
}

export type UserNamespaces =
  | "allowed"
  /** kernel.apparmor_restrict_unprivileged_userns, as on Ubuntu 24.04. */
  | "blocked-by-apparmor"
  /** kernel.unprivileged_userns_clone or user.max_user_namespaces is 0. */
  | "disabled";

export interface DiskFacts {
  readonly directory: string;
  readonly freeBytes: number;
  readonly fileSystem: string;
  /** Whether files can have extended attributes of the user namespace; overlayfs keeps its own there. */
  readonly keepsAttributes: boolean;
}

/** Whether arm64 programs have to be emulated here. */
export function needsEmulation(facts: Pick<HostFacts, "architecture">): boolean {
  return facts.architecture !== "aarch64";
}

/** Debian's name of the host's multiarch folder and architecture; null: no native tools for it. */
export function nativeDebian(
  facts: Pick<HostFacts, "architecture">,
): { architecture: string; libraries: string } | null {
  return facts.architecture === "x86_64" ? { architecture: "amd64", libraries: "x86_64-linux-gnu" } : null;
}

/** binfmt_misc can be mounted in a user namespace since Linux 6.7. */
export function kernelHasOwnBinfmt({ kernel }: Pick<HostFacts, "kernel">): boolean {
  return kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 7);
}
