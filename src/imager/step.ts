import type { WifiSettings } from "../config/cluster.ts";
import type {
  CheckInitramfs,
  CheckLock,
  FetchDebs,
  HideProgram,
  InstallDebs,
  ListSoftware,
  NativeTools,
  PacmanKeyring,
  RemovePackages,
  ReturnTools,
  UnpackDebs,
} from "./package-step.ts";

/**
 * One thing that a bake does, with every value resolved. The executor performs it (`steps/`),
 * `plan` writes it as shell (`script/`); nothing is decided on the way.
 *
 * `root` is where the image's tree is mounted on the host; `path` is absolute inside of it and is
 * resolved there, so that no symbolic link of the image leads out of it.
 */
export type Step = { readonly title: string } & Action;

export type Action =
  | Download
  | Run
  | Chroot
  | OpenRoot
  | MakeDirectory
  | Write
  | WriteWifi
  | WriteHostKey
  | Symlink
  | Copy
  | Remove
  | SetLine
  | AddLines
  | FetchDebs
  | UnpackDebs
  | InstallDebs
  | NativeTools
  | ReturnTools
  | HideProgram
  | CheckInitramfs
  | PacmanKeyring
  | RemovePackages
  | CheckLock
  | ListSoftware
  | Settle
  | PackImage
  | PatchImage;

export interface Download {
  readonly do: "download";
  readonly url: string;
  /** Absolute path of the cached file. */
  readonly to: string;
  readonly signature: {
    readonly url: string;
    /** Primary key, 40 upper-case hexadecimal digits. */
    readonly fingerprint: string;
    /** Armoured, or where to get it: what arrives must have that fingerprint. */
    readonly publicKey: { readonly armoured: string } | { readonly url: string };
  };
}

/** A program of the host, inside the namespaces. */
export interface Run {
  readonly do: "run";
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** A regular expression: lines of its output that are worth a warning although it succeeded. */
  readonly warnAbout?: string;
}

/** A program of the image, as root of the image; emulated unless the host is arm64. */
export interface Chroot {
  readonly do: "chroot";
  readonly root: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | PasswordLine;
  readonly warnAbout?: string;
  /** What to do when the image has no such program. */
  readonly missingHint?: string;
  /** The file on the host that this is a copy of: it is the user's own, and so is what goes wrong in it. */
  readonly script?: string;
}

/** Mounts what programs of the image expect: /proc, /dev, /run, /tmp; lends it the host's name servers. */
export interface OpenRoot {
  readonly do: "open-root";
  readonly root: string;
}

/** `USER:PASSWORD` as chpasswd(8) reads it: the first line of the file, or a crypt(5) hash. `plan` shows neither. */
export type PasswordLine =
  | { readonly user: string; readonly passwordFile: string }
  | { readonly user: string; readonly passwordHash: string };

export interface MakeDirectory {
  readonly do: "make-directory";
  readonly root: string;
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
}

export interface Write {
  readonly do: "write";
  readonly root: string;
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** `USER:GROUP`, looked up in the image's own passwd and group. */
  readonly owner: string;
}

/** wpa_supplicant's configuration; the PSK is derived from the passphrase file on the way. */
export interface WriteWifi {
  readonly do: "write-wifi";
  readonly root: string;
  readonly path: string;
  readonly wifi: WifiSettings;
}

/** An SSH host key of the node's own, from `source` on the host, and its public half from `source`.pub; `plan` shows neither. */
export interface WriteHostKey {
  readonly do: "write-host-key";
  readonly root: string;
  readonly source: string;
  readonly path: string;
}

export interface Symlink {
  readonly do: "symlink";
  readonly root: string;
  readonly path: string;
  readonly target: string;
}

/** A file of the host. `sha256` is part of what the layer is cached under. */
export interface Copy {
  readonly do: "copy";
  readonly source: string;
  readonly sha256: string;
  readonly root: string;
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
}

/** Removes what is there, with all below it; in the last component of a path, `*` stands for anything. */
export interface Remove {
  readonly do: "remove";
  readonly root: string;
  readonly paths: readonly string[];
}

/** Drops every line that starts with `startsWith` and adds `line` at the end; the file is made if it is missing. */
export interface SetLine {
  readonly do: "set-line";
  readonly root: string;
  readonly path: string;
  readonly startsWith: string;
  readonly line: string;
}

/** Adds lines at the end; the file is made if it is missing. */
export interface AddLines {
  readonly do: "add-lines";
  readonly root: string;
  readonly path: string;
  readonly lines: readonly string[];
}

/** Nothing of the tree is younger than the epoch: neither files, nor dates that pacman and shadow(5) note in theirs. */
export interface Settle {
  readonly do: "settle";
  readonly root: string;
  /** What alone is looked through for young files; null: the whole tree. */
  readonly upper: string | null;
  readonly epochSeconds: number;
}

/** Makes a whole disk image of a tree: MBR, FAT boot partition, ext4 root partition. */
export interface PackImage {
  readonly do: "pack-image";
  readonly root: string;
  readonly bootMount: string;
  readonly image: string;
  readonly bootBytes: number;
  readonly marginBytes: number;
  /** With SOURCE_DATE_EPOCH: nothing in the image depends on chance or the day. */
  readonly settled?: { readonly epochSeconds: number; readonly rootUuid: string };
}

/** A copy of a packed image with everything of `upper` written over it, and its own identity. */
export interface PatchImage {
  readonly do: "patch-image";
  readonly base: string;
  /** The overlay's upper folder: what differs from the packed tree. */
  readonly upper: string;
  /** The trees below it, topmost first. */
  readonly lower: readonly string[];
  readonly bootMount: string;
  readonly bootBytes: number;
  readonly image: string;
  readonly identity: DiskIdentity;
}

export interface DiskIdentity {
  /** MBR disk signature, 8 lower-case hexadecimal digits; PARTUUIDs derive from it. */
  readonly diskSignature: string;
  /** FAT volume id, 8 upper-case hexadecimal digits. */
  readonly bootVolumeId: string;
  /** ext4 UUID. */
  readonly rootUuid: string;
}
