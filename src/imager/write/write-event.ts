import type { FailureKind } from "../../core/errors.ts";

export type WritePhase = "comparing" | "writing" | "flushing" | "verifying";

/** What writing cards tells while it runs, one JSON object a line; `device` is the disk's path. */
export type WriteEvent =
  /** First of each card; `writeBytes`: what of the image will be written, zeros included; old signatures that are cleared come on top. */
  | {
      readonly event: "card";
      readonly device: string;
      readonly image: string;
      readonly model: string;
      readonly sizeBytes: number;
      readonly writeBytes: number;
    }
  | {
      readonly event: "progress";
      readonly device: string;
      readonly phase: WritePhase;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** The card has not answered for so long. */
  | {
      readonly event: "stalled";
      readonly device: string;
      readonly phase: WritePhase;
      readonly seconds: number;
    }
  | {
      readonly event: "warned";
      readonly device: string;
      readonly message: string;
      readonly hint: string | null;
    }
  /** This card is whole: written, flushed, read back. */
  | {
      readonly event: "verified";
      readonly device: string;
      readonly writtenBytes: number;
      readonly verifiedBytes: number;
      /** What `--resume` found to be there already. */
      readonly keptBytes: number;
      readonly writeSeconds: number;
      readonly verifySeconds: number;
    }
  /** This card is not; the others go on. */
  | {
      readonly event: "failed";
      readonly device: string;
      readonly kind: FailureKind;
      readonly message: string;
      readonly hint: string | null;
      readonly mismatch: Mismatch | null;
    }
  /** Last of all. */
  | {
      readonly event: "finished";
      readonly written: number;
      readonly failed: number;
      readonly seconds: number;
    };

/** The first place where a card gives back something else than was written. */
export interface Mismatch {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** SHA-256 of that extent, lower-case hexadecimal. */
  readonly expected: string;
  readonly found: string;
  /** What is most likely behind it. */
  readonly cause: string;
}
