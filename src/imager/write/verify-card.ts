import { readSync } from "node:fs";
import { BerryError } from "../../core/errors.ts";
import { alignedBuffer } from "./block-device.ts";
import { readPieces } from "./card-phases.ts";
import { type CardSession, digestOf, NotVerified } from "./card-session.ts";
import type { ReadableImage } from "./image-reader.ts";
import { blockBytes, firstWrongBlock, isUniform, mismatchCause } from "./mismatch-cause.ts";
import { endOf, type Piece } from "./pieces.ts";

/**
 * Reads the pieces back and holds them against the digests that were noted.
 * @throws NotVerified at the first one that differs, with what is most likely behind it
 */
export async function verifyPieces(
  session: CardSession,
  image: ReadableImage,
  pieces: Iterable<Piece>,
): Promise<void> {
  for await (const filled of readPieces(session.device, pieces, session.signal)) {
    for (const { piece, bytes } of filled) {
      const expected = session.digests.get(piece);
      if (expected === undefined)
        throw new BerryError("software", `no digest of ${piece.offsetBytes} was noted`);
      const found = digestOf(bytes);
      if (found !== expected) {
        const { offsetBytes, lengthBytes } = piece;
        const cause = await explain(session, image, piece, bytes.slice());
        throw new NotVerified(session.device.path, { offsetBytes, lengthBytes, expected, found, cause });
      }
      session.progress.advance(piece.lengthBytes);
    }
  }
}

async function explain(
  session: CardSession,
  image: ReadableImage,
  piece: Piece,
  found: Uint8Array,
): Promise<string> {
  const expected = new Uint8Array(piece.lengthBytes);
  await session.image.read(piece, expected, session.signal);
  const second = alignedBuffer(piece.lengthBytes);
  const again = await session.device.read(second, piece.offsetBytes).then(
    () => second,
    () => null,
  );
  const wrong = firstWrongBlock(expected, found);
  const block = wrong === null ? null : found.subarray(wrong, wrong + blockBytes);
  const belongsAt =
    block === null || wrong === null || isUniform(block)
      ? null
      : findBlock(image, block, piece.offsetBytes + wrong);
  return mismatchCause({ offsetBytes: piece.offsetBytes, expected, found, again, belongsAt });
}

/** Sizes at which a card that lies begins anew are multiples of it. */
const wrapBytes = 64 * 1024;
const maximumProbes = 1_000_000;

/** Where in the image, other than at `place`, the block is; a card that lies writes everything modulo its true size. */
function findBlock(image: ReadableImage, block: Uint8Array, place: number): number | null {
  const candidate = new Uint8Array(block.length);
  let probes = 0;
  for (const extent of image.data) {
    const skip = (place - extent.offsetBytes) % wrapBytes;
    const first = extent.offsetBytes + (skip < 0 ? skip + wrapBytes : skip);
    const end = Math.min(endOf(extent), image.sizeBytes);
    for (let at = first; at + block.length <= end; at += wrapBytes) {
      probes += 1;
      if (probes > maximumProbes) return null;
      if (at === place) continue;
      if (
        readSync(image.fileDescriptor, candidate, 0, candidate.length, at) === candidate.length &&
        Buffer.compare(candidate, block) === 0
      )
        return at;
    }
  }
  return null;
}
