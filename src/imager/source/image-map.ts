import type { FileStamp } from "./stamp-file.ts";

/** Bytes of an image or a disk: multiples of 512 (an image's last extent ends with the image). */
export interface Extent {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export interface DataExtent extends Extent {
  /** SHA-256 of the extent that a .bmap promises, lower-case hexadecimal; null: nobody promised anything. */
  readonly sha256: string | null;
}

/** What of an image has to reach a card. Every list is in order and without overlap, also with one another. */
export interface ImageMap {
  readonly sizeBytes: number;
  /** Where the map comes from; `everything`: nothing is known of holes. */
  readonly from: "bmap" | "holes" | "everything";
  readonly data: readonly DataExtent[];
  /** Holes that a file system of the image takes for zeros: FATs, folders, the journal, blocks of files. They are written as zeros. */
  readonly zeros: readonly Extent[];
  /** The image's partitions, whole: old signatures are cleared from holes at their beginnings and ends. */
  readonly partitions: readonly Extent[];
}

/** Sum of the lengths. */
export function lengthOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** An image that can be read at any offset: the file itself, or a nameless file that a decompressor is filling. */
export interface OpenImage extends AsyncDisposable {
  /** The file that the user named, absolute. */
  readonly path: string;
  /** Of the readable file; children inherit it. */
  readonly fileDescriptor: number;
  readonly map: ImageMap;
  /** How the file was before anything was read of it; null: it is nameless, and nobody else can change it. */
  readonly stamp: FileStamp | null;
  /** How far the file can be read, from its beginning; `map.sizeBytes` when it is whole. */
  availableBytes(): number;
  /** Resolves when more than `bytes` can be read or the file is whole; throws what stopped the decompressor. */
  moreThan(bytes: number, signal: AbortSignal): Promise<void>;
}
