import { version as packageVersion } from "../../package.json";

// scripts/build.ts replaces this name by a string.
declare const BERRY_COMMIT: string;

export interface Version {
  readonly version: string;
  /** Short hash, with `-dirty` where the tree had changes; null: run from the source. */
  readonly commit: string | null;
  /** As `uname -m` says it. */
  readonly architecture: string;
}

/** What this berry is. */
export function ownVersion(nodeArchitecture: string): Version {
  return {
    version: packageVersion,
    commit: typeof BERRY_COMMIT === "string" ? BERRY_COMMIT : null,
    architecture:
      nodeArchitecture === "x64" ? "x86_64" : nodeArchitecture === "arm64" ? "aarch64" : nodeArchitecture,
  };
}

/** One line: `berry 0.1.0 (commit 1234abc, aarch64)`. */
export function formatVersion({ version, commit, architecture }: Version): string {
  return `berry ${version} (${commit === null ? "from the source" : `commit ${commit}`}, ${architecture})`;
}
