import type { FailureKind } from "../core/errors.ts";

/**
 * What a bake tells while it runs, one JSON object a line: the worker writes them,
 * the parent draws progress from them, `--json` prints them. They never hold a secret.
 */
export type BakeEvent =
  /** First of all: how many steps will run. */
  | { readonly event: "planned"; readonly steps: number; readonly nodes: readonly string[] }
  /** A layer was in the cache: its steps will not run. */
  | { readonly event: "cached"; readonly layer: string }
  | { readonly event: "started"; readonly step: number; readonly layer: string; readonly title: string }
  /** `totalBytes` is null while nobody knows it. */
  | {
      readonly event: "progress";
      readonly step: number;
      readonly doneBytes: number;
      readonly totalBytes: number | null;
    }
  /** A line that a program wrote; for `--verbose` and logs. */
  | { readonly event: "output"; readonly step: number; readonly line: string }
  /** `emulatedSeconds`: the part of `seconds` in which a program ran under qemu. */
  | {
      readonly event: "finished";
      readonly step: number;
      readonly seconds: number;
      readonly emulatedSeconds: number;
    }
  | {
      readonly event: "image";
      readonly node: string;
      readonly path: string;
      /** Length of the file. */
      readonly sizeBytes: number;
      /** Bytes of it that are mapped, and so will be written to a card. */
      readonly mappedBytes: number;
      /** The image's software list, in CycloneDX. */
      readonly softwareList: string;
    }
  /** The host keys of so many nodes were written to a known_hosts file. */
  | { readonly event: "known-hosts"; readonly path: string; readonly nodes: number }
  /** Something that was taken was given back, after a failure or Ctrl-C. */
  | { readonly event: "undone"; readonly what: string }
  | { readonly event: "warned"; readonly message: string; readonly hint: string | null }
  | {
      readonly event: "failed";
      readonly kind: FailureKind;
      readonly message: string;
      readonly hint: string | null;
    }
  | { readonly event: "cleaned"; readonly freedBytes: number }
  /** Last of all, after success. */
  | {
      readonly event: "baked";
      readonly seconds: number;
      readonly emulatedSeconds: number;
      readonly peakMemoryBytes: number;
    };
