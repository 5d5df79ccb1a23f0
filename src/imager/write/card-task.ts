import type { DiskIdentification } from "../disks/disk.ts";
import type { ImageMap } from "../source/image-map.ts";
import type { FileStamp } from "../source/stamp-file.ts";
import type { WriteEvent } from "./write-event.ts";

/** What the process of one card is told, as the first line of its standard input. The image is its descriptor 3. */
export interface CardTask {
  /** The disk's own path, such as `/dev/sdb`. */
  readonly device: string;
  /** As it was judged: checked again once the disk is open. */
  readonly identity: DiskIdentification;
  readonly sectorBytes: number;
  /** The user knows that the disk is not removable. */
  readonly isConfirmed: boolean;
  /** Paths whose disk must not be written to, the image's own among them. */
  readonly keep: readonly string[];
  /** Absolute; for messages. */
  readonly image: string;
  readonly map: ImageMap;
  /** How the image's file was when it was opened; null: nobody can change it. */
  readonly stamp: FileStamp | null;
  /** Keep what is there already. */
  readonly resume: boolean;
}

/** Further lines of standard input; its end means `abort`. */
export type CardOrder =
  /** The image can be read up to here; its whole length: it is complete and sound. */
  { readonly order: "available"; readonly bytes: number } | { readonly order: "abort" };

/** What the process of one card tells, one JSON object a line. */
export type CardMessage =
  | WriteEvent
  /** The card waits for the image, which is not yet readable up to here: that is no stall of the card. */
  | { readonly event: "waiting"; readonly bytes: number };
