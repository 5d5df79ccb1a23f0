import { MiB } from "../../core/units.ts";
import { alignOutward, difference, endOf, gaps, union } from "../source/extents.ts";
import type { Extent, ImageMap } from "../source/image-map.ts";

/** A contiguous part of a card that is written by one request. */
export interface Piece extends Extent {
  /** In order, without a gap: they make up the piece. */
  readonly segments: readonly Segment[];
}

export interface Segment extends Extent {
  readonly from: "image" | "zeros";
}

/** What of a card is written, cleared and read back. */
export interface WritePlan {
  /** What lies in the first MiB, the partition table with it: written last of all. */
  readonly head: readonly Piece[];
  /** Everything else, in order. */
  readonly body: readonly Piece[];
  /** Holes of the image in which an old signature could lie: cleared where they are not zeros. In order. */
  readonly probes: readonly Extent[];
}

/** What the plan needs of the disk. */
export interface CardGeometry {
  readonly sizeBytes: number;
  /** Requests are multiples of it: 512 or 4096. */
  readonly sectorBytes: number;
}

/**
 * As long as the head is zeros, no firmware and no kernel finds anything on the card: boot sector, partition tables
 * and every signature at the beginning of a disk lie in it.
 */
export const headBytes = 1 * MiB;

/** Signatures of file systems, RAID and backup partition tables lie this near to an end (GPT: 33 sectors, md 1.0: 128 KiB, ZFS: 512 KiB). */
const signatureBytes = 1 * MiB;

/** The pieces, none longer than `pieceBytes` (a multiple of the sector). Extents are rounded outwards to whole sectors. */
export function planWrite(map: ImageMap, card: CardGeometry, pieceBytes: number): WritePlan {
  const data = alignOutward(map.data, card.sectorBytes, card.sizeBytes);
  const zeros = difference(alignOutward(map.zeros, card.sectorBytes, card.sizeBytes), data);
  const segments = [
    ...data.map((extent): Segment => ({ ...extent, from: "image" })),
    ...zeros.map((extent): Segment => ({ ...extent, from: "zeros" })),
  ].toSorted(byOffset);
  const pieces = cut(segments, pieceBytes);
  const regions = [
    { offsetBytes: 0, lengthBytes: card.sizeBytes },
    ...map.partitions.filter(({ offsetBytes }) => offsetBytes < card.sizeBytes),
  ]
    .flatMap(endsOf)
    .concat(betweenPartitions(map));
  return {
    head: pieces.filter(({ offsetBytes }) => offsetBytes < headBytes),
    body: pieces.filter(({ offsetBytes }) => offsetBytes >= headBytes),
    probes: difference(alignOutward(regions, card.sectorBytes, card.sizeBytes), union(segments)),
  };
}

function byOffset(one: Extent, other: Extent): number {
  return one.offsetBytes - other.offsetBytes;
}

/** A boot loader may keep its settings there; larger gaps are room that nothing looks at. */
const largestGapBytes = 64 * MiB;

/** What of the image belongs to no partition; nothing where there are none. */
function betweenPartitions({ partitions, sizeBytes }: ImageMap): Extent[] {
  if (partitions.length === 0) return [];
  return gaps(union(partitions), sizeBytes).filter(({ lengthBytes }) => lengthBytes <= largestGapBytes);
}

function endsOf(region: Extent): Extent[] {
  const length = Math.min(signatureBytes, region.lengthBytes);
  return [
    { offsetBytes: region.offsetBytes, lengthBytes: length },
    { offsetBytes: endOf(region) - length, lengthBytes: length },
  ];
}

/** Cuts where a gap is, where a piece is full and where the head ends. */
function cut(segments: readonly Segment[], pieceBytes: number): Piece[] {
  const pieces: { offsetBytes: number; lengthBytes: number; segments: Segment[] }[] = [];
  for (const segment of segments) {
    let begin = segment.offsetBytes;
    const end = endOf(segment);
    while (begin < end) {
      let piece = pieces.at(-1);
      const isOpen =
        piece !== undefined &&
        endOf(piece) === begin &&
        piece.lengthBytes < pieceBytes &&
        begin !== headBytes;
      if (piece === undefined || !isOpen) {
        piece = { offsetBytes: begin, lengthBytes: 0, segments: [] };
        pieces.push(piece);
      }
      const limits = [end, piece.offsetBytes + pieceBytes, ...(begin < headBytes ? [headBytes] : [])];
      const length = Math.min(...limits) - begin;
      piece.segments.push({ offsetBytes: begin, lengthBytes: length, from: segment.from });
      piece.lengthBytes += length;
      begin += length;
    }
  }
  return pieces;
}

/** Consecutive pieces that fit into one buffer together, so that small ones share a turn. */
export function* batches<T extends Extent>(pieces: Iterable<T>, bufferBytes: number): Generator<T[]> {
  let batch: T[] = [];
  let filled = 0;
  for (const piece of pieces) {
    if (batch.length > 0 && filled + slotBytes(piece) > bufferBytes) {
      yield batch;
      batch = [];
      filled = 0;
    }
    batch.push(piece);
    filled += slotBytes(piece);
  }
  if (batch.length > 0) yield batch;
}

/** Room of a piece in a buffer: the next one begins on a page again, as unbuffered requests want it. */
export function slotBytes({ lengthBytes }: Extent): number {
  return Math.ceil(lengthBytes / 4096) * 4096;
}

/** Pieces that are read by one request, what lies between them included. */
export interface Span<T extends Extent = Piece> extends Extent {
  readonly pieces: readonly T[];
}

/** Reads are cheap: a gap of this size costs less than another request. */
const gapBytes = 64 * 1024;

/** The pieces (in order) as few reads, none longer than `bufferBytes`. */
export function* spans<T extends Extent>(pieces: Iterable<T>, bufferBytes: number): Generator<Span<T>> {
  let open: { offsetBytes: number; lengthBytes: number; pieces: T[] } | null = null;
  for (const piece of pieces) {
    const fits =
      open !== null &&
      piece.offsetBytes - endOf(open) <= gapBytes &&
      endOf(piece) - open.offsetBytes <= bufferBytes;
    if (open !== null && fits) {
      open.lengthBytes = endOf(piece) - open.offsetBytes;
      open.pieces.push(piece);
    } else {
      if (open !== null) yield open;
      open = { offsetBytes: piece.offsetBytes, lengthBytes: piece.lengthBytes, pieces: [piece] };
    }
  }
  if (open !== null) yield open;
}

/** The parts of an extent, none longer than `pieceBytes`. */
export function* partsOf(extent: Extent, pieceBytes: number): Generator<Extent> {
  for (let begin = extent.offsetBytes; begin < endOf(extent); begin += pieceBytes)
    yield { offsetBytes: begin, lengthBytes: Math.min(pieceBytes, endOf(extent) - begin) };
}
