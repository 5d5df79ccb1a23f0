import { createHash, type Hash } from "node:crypto";
import { readSync } from "node:fs";
import { BerryError } from "../../core/errors.ts";
import type { DataExtent } from "../source/image-map.ts";
import { endOf } from "../source/extents.ts";
import { type FileStamp, isChanged } from "../source/stamp-file.ts";
import type { Piece, Segment } from "./pieces.ts";

/** How far an image can be read. */
export interface Availability {
  bytes(): number;
  /** Resolves when so many bytes can be read; for the whole length: when the image is known to be sound as well. */
  atLeast(bytes: number, signal: AbortSignal): Promise<void>;
}

export interface ReadableImage {
  readonly fileDescriptor: number;
  /** For messages. */
  readonly path: string;
  readonly sizeBytes: number;
  /** In order; with the digests that a .bmap promises. */
  readonly data: readonly DataExtent[];
}

export interface ImageReader {
  /**
   * Fills the target with a piece. The first reading of each byte, in order, is held against the digests of the .bmap.
   * @throws BerryError `bad-data` when the image is not what the .bmap promised, or ended too early; `io`
   */
  read(piece: Piece, target: Uint8Array, signal: AbortSignal): Promise<void>;
}

/**
 * Reads pieces of an image. Synchronously: it comes from the page cache or a disk quicker than any card, and the
 * write in flight goes on in a thread of its own.
 */
export function imageReader(image: ReadableImage, availability: Availability): ImageReader {
  const promises = watchPromises(image);
  return {
    async read(piece, target, signal) {
      const needed = Math.min(image.sizeBytes, endOf(piece));
      if (availability.bytes() < needed) await availability.atLeast(needed, signal);
      for (const segment of piece.segments) {
        const begin = segment.offsetBytes - piece.offsetBytes;
        const part = target.subarray(begin, begin + segment.lengthBytes);
        if (segment.from === "zeros") part.fill(0);
        else {
          readFully(image, segment, part);
          promises.see(segment, part);
        }
      }
    },
  };
}

function readFully(image: ReadableImage, segment: Segment, target: Uint8Array): void {
  const wanted = Math.min(endOf(segment), image.sizeBytes) - segment.offsetBytes;
  let done = 0;
  while (done < wanted) {
    const read = readSome(image, target, done, wanted - done, segment.offsetBytes + done);
    if (read === 0) throw changed(image.path);
    done += read;
  }
  // the last sector of a card is whole, an image need not be
  target.fill(0, Math.max(0, wanted));
}

function readSome(
  image: ReadableImage,
  target: Uint8Array,
  at: number,
  lengthBytes: number,
  position: number,
): number {
  try {
    return readSync(image.fileDescriptor, target, at, lengthBytes, position);
  } catch (cause) {
    throw new BerryError("io", `cannot read ${image.path} at byte ${position}`, {
      hint: "the disk that holds the image failed: dmesg | tail",
      cause,
    });
  }
}

/** Holds what is read, in order and once, against the promised digests. */
function watchPromises({ path, data }: ReadableImage): { see(segment: Segment, part: Uint8Array): void } {
  const promised = data.filter(({ sha256 }) => sha256 !== null);
  let next = 0;
  let seenTo = 0;
  let hash: Hash | null = null;
  return {
    see(segment, part) {
      const end = endOf(segment);
      for (let extent = promised[next]; extent !== undefined; extent = promised[next]) {
        const from = Math.max(segment.offsetBytes, extent.offsetBytes, seenTo);
        const to = Math.min(end, endOf(extent));
        if (from < to) {
          hash ??= createHash("sha256");
          hash.update(part.subarray(from - segment.offsetBytes, to - segment.offsetBytes));
        }
        if (endOf(extent) > end) break;
        const found = hash?.digest("hex");
        if (found !== undefined && found !== extent.sha256) throw broken(path, extent, found);
        hash = null;
        next += 1;
      }
      seenTo = Math.max(seenTo, end);
    },
  };
}

function broken(path: string, extent: DataExtent, found: string): BerryError {
  const place = `bytes ${extent.offsetBytes} to ${endOf(extent)}`;
  return new BerryError(
    "bad-data",
    `${path} is not what its .bmap says: ${place} have SHA-256 ${found}, promised was ${extent.sha256}`,
    { hint: "the download is damaged, or the .bmap belongs to another image: get both again" },
  );
}

function changed(path: string): BerryError {
  return new BerryError("bad-data", `${path} was changed while it was written to a card`, {
    hint: "leave the image alone until the card is done, then write it again",
  });
}

/** @throws BerryError `bad-data` when somebody has written to the file since */
export function refuseChange(path: string, fileDescriptor: number, before: FileStamp): void {
  if (isChanged(fileDescriptor, before)) throw changed(path);
}
