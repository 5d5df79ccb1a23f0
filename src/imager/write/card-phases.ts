import type { Extent } from "../source/image-map.ts";
import { alignedBuffer, type OpenDevice } from "./open-device.ts";
import { type CardSession, digestOf, pieceBytes, twoBuffers } from "./card-session.ts";
import { union } from "../source/extents.ts";
import { batches, partsOf, type Piece, slotBytes, type Span, spans } from "./pieces.ts";

/** Small pieces of one batch that are under way at once. */
const lanes = 4;

/**
 * Writes the pieces in order: while one buffer is written, the other one is filled from the image and digested, so
 * that the card never waits. At most two writes are in flight.
 */
export async function writePieces(session: CardSession, pieces: Iterable<Piece>): Promise<void> {
  const slots = twoBuffers().map((buffer) => ({ buffer, written: Promise.resolve() }));
  let turn = 0;
  try {
    for (const batch of batches(pieces, pieceBytes)) {
      session.signal.throwIfAborted();
      const slot = slots[turn % slots.length];
      if (slot === undefined) break;
      turn += 1;
      await slot.written;
      const filled = await fill(session, batch, slot.buffer);
      slot.written = writeBatch(session, filled);
      // awaited below, when its buffer is needed again
      slot.written.catch(() => undefined);
    }
    await Promise.all(slots.map(({ written }) => written));
  } finally {
    await Promise.allSettled(slots.map(({ written }) => written));
  }
}

interface FilledPiece {
  readonly piece: Piece;
  readonly bytes: Uint8Array;
}

async function fill(
  session: CardSession,
  batch: readonly Piece[],
  buffer: Uint8Array,
): Promise<FilledPiece[]> {
  const filled: FilledPiece[] = [];
  let at = 0;
  for (const piece of batch) {
    const bytes = buffer.subarray(at, at + piece.lengthBytes);
    at += slotBytes(piece);
    await session.image.read(piece, bytes, session.signal);
    session.digests.set(piece, digestOf(bytes));
    filled.push({ piece, bytes });
  }
  return filled;
}

async function writeBatch({ device, progress }: CardSession, filled: readonly FilledPiece[]): Promise<void> {
  const queue = filled.values();
  const lane = async (): Promise<void> => {
    for (const { piece, bytes } of queue) {
      await device.write(bytes, piece.offsetBytes);
      progress.advance(piece.lengthBytes);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, filled.length) }, lane));
}

/**
 * The pieces as the card has them, read ahead by one request.
 * What is yielded stays as it is until the next one is asked for.
 */
export async function* readPieces(
  device: OpenDevice,
  pieces: Iterable<Piece>,
  signal: AbortSignal,
): AsyncGenerator<readonly FilledPiece[]> {
  const buffers = twoBuffers();
  const wanted = spans(pieces, pieceBytes);
  let turn = 0;
  const start = (): { span: Span; bytes: Uint8Array; done: Promise<void> } | null => {
    const { value: span } = wanted.next();
    const buffer = buffers[turn % buffers.length];
    if (span === undefined || buffer === undefined) return null;
    turn += 1;
    const bytes = buffer.subarray(0, span.lengthBytes);
    const done = device.read(bytes, span.offsetBytes);
    done.catch(() => undefined);
    return { span, bytes, done };
  };
  let current = start();
  try {
    while (current !== null) {
      signal.throwIfAborted();
      await current.done;
      const { span, bytes } = current;
      current = start();
      yield span.pieces.map((piece) => {
        const begin = piece.offsetBytes - span.offsetBytes;
        return { piece, bytes: bytes.subarray(begin, begin + piece.lengthBytes) };
      });
    }
  } finally {
    await current?.done.catch(() => undefined);
  }
}

/**
 * How many of the pieces, from the first one on, the card has already. Each is noted in the digests.
 * What lies behind the first difference is not looked at: a write that was interrupted never got there.
 */
export async function countKept(session: CardSession, pieces: readonly Piece[]): Promise<number> {
  const expected = alignedBuffer(pieceBytes);
  let kept = 0;
  for await (const filled of readPieces(session.device, pieces, session.signal)) {
    for (const { piece, bytes } of filled) {
      const image = expected.subarray(0, piece.lengthBytes);
      await session.image.read(piece, image, session.signal);
      if (Buffer.compare(image, bytes) !== 0) return kept;
      session.digests.set(piece, digestOf(image));
      session.progress.advance(piece.lengthBytes);
      kept += 1;
    }
  }
  return kept;
}

const clearedBlockBytes = 4096;

/** Writes zeros over whatever of the extents is something else. @returns how many bytes were written */
export async function clearExtents(
  device: OpenDevice,
  extents: readonly Extent[],
  signal: AbortSignal,
): Promise<number> {
  const zeros = alignedBuffer(pieceBytes);
  const zeroBlock = zeros.subarray(0, clearedBlockBytes);
  const buffer = alignedBuffer(pieceBytes);
  let clearedBytes = 0;
  for (const part of extents.flatMap((extent) => [...partsOf(extent, pieceBytes)])) {
    signal.throwIfAborted();
    const bytes = buffer.subarray(0, part.lengthBytes);
    await device.read(bytes, part.offsetBytes);
    const dirty = [...partsOf({ offsetBytes: 0, lengthBytes: bytes.length }, clearedBlockBytes)].filter(
      ({ offsetBytes, lengthBytes }) =>
        Buffer.compare(
          bytes.subarray(offsetBytes, offsetBytes + lengthBytes),
          zeroBlock.subarray(0, lengthBytes),
        ) !== 0,
    );
    for (const { offsetBytes, lengthBytes } of union(dirty)) {
      await device.write(zeros.subarray(0, lengthBytes), part.offsetBytes + offsetBytes);
      clearedBytes += lengthBytes;
    }
  }
  return clearedBytes;
}

/** Extents that have to be zeros, as pieces that are read back like all others. */
export function zeroPieces(extents: readonly Extent[]): Piece[] {
  return extents
    .flatMap((extent) => [...partsOf(extent, pieceBytes)])
    .map((part) => ({ ...part, segments: [{ ...part, from: "zeros" as const }] }));
}
