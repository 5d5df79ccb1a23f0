import type { LockedImage, LockedPackage } from "./lock/lock.ts";
import type { SoftwareSources } from "./software/compose-software.ts";
import type { Step } from "./step.ts";

/** A tree that is mounted, filled and then published under `directory` by one rename. */
export interface LayerPlan {
  readonly name: string;
  /** Hash of everything that goes into it, the layers below included. */
  readonly key: string;
  readonly directory: string;
  readonly work: string;
  /** Trees below, topmost first. */
  readonly lower: readonly string[];
  /** Mount point of the merged tree. */
  readonly root: string;
  readonly steps: readonly Step[];
  /** It is in the cache: its steps will not run. */
  readonly cached: boolean;
}

/** One node's image: its layer lives in memory, its result is `output`. */
export interface NodePlan {
  readonly node: string;
  readonly lower: readonly string[];
  readonly work: string;
  readonly root: string;
  readonly upper: string;
  readonly steps: readonly Step[];
  /** Written by the last step, then renamed to `output`. */
  readonly partial: string;
  readonly output: string;
  readonly software: NodeSoftware;
}

/** What an image is made of, and where that is told. */
export interface NodeSoftware extends SoftwareSources {
  /** Written beside the image, then renamed to `output`. */
  readonly partial: string;
  readonly output: string;
  /** Of the berry that bakes. */
  readonly berryVersion: string;
  /** Seconds since the epoch, of SOURCE_DATE_EPOCH; null: the list tells no time. */
  readonly epochSeconds: number | null;
  /** The package that brings berry; null: it has the bare program, or none. */
  readonly berryPackage: LockedPackage | null;
  /** What it must be made of; null: it may be made of anything. */
  readonly locked: LockedImage | null;
}

export interface Plan {
  readonly cacheDirectory: string;
  readonly outputDirectory: string;
  /** SOURCE_DATE_EPOCH, for every program; null: it is not set. */
  readonly sourceDateEpoch: number | null;
  readonly emulator: Emulator | null;
  readonly layers: readonly LayerPlan[];
  readonly nodes: readonly NodePlan[];
  /** null: every node makes its host keys on its first boot. */
  readonly knownHosts: KnownHosts | null;
}

/** The file by which ssh(1) knows the nodes before it ever met them, as sshd(8) describes it; written before the first image. */
export interface KnownHosts {
  readonly path: string;
  /** All nodes of the cluster that may have keys; what is not there is left out. */
  readonly hosts: readonly {
    readonly names: readonly string[];
    readonly publicKeyFiles: readonly string[];
  }[];
}

/** How arm64 programs run: a binfmt_misc handler of the namespace's own, or one of the host's. */
export type Emulator =
  | { readonly kind: "own"; readonly interpreter: string }
  | { readonly kind: "host"; readonly handler: string };
