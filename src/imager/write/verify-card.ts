import { readSync } from "node:fs";
import { BerryError } from "../../core/errors.ts";
import { alignedBuffer } from "./open-device.ts";
import { readPieces } from "./card-phases.ts";
import { type CardSession, digestOf, NotVerified } from "./card-session.ts";
import type { ReadableImage } from "./image-reader.ts";
import { type Astray, commonDistance, mismatchCause, sectorBytes, tellingSectors } from "./mismatch-cause.ts";
import { endOf } from "../source/extents.ts";
import type { Piece } from "./pieces.ts";

/**
 * Reads the pieces back and holds them against the digests that were noted.
 * @throws NotVerified at the first one that differs, with what is most likely behind it
 */
export async function verifyPieces(
  session: CardSession,
  image: ReadableImage,
  pieces: readonly Piece[],
): Promise<void> {
  for await (const filled of readPieces(session.device, pieces, session.signal)) {
    for (const { piece, bytes } of filled) {
      const expected = session.digests.get(piece);
      if (expected === undefined)
        throw new BerryError("software", `no digest of ${piece.offsetBytes} was noted`);
      const found = digestOf(bytes);
      if (found !== expected) {
        const { offsetBytes, lengthBytes } = piece;
        const cause = await explain(session, image, pieces.slice(pieces.indexOf(piece)), bytes.slice());
        throw new NotVerified(session.device.path, { offsetBytes, lengthBytes, expected, found, cause });
      }
      session.progress.advance(piece.lengthBytes);
    }
  }
}

/** What is most likely behind the first wrong piece; the ones behind it are looked at for more signs. */
async function explain(
  session: CardSession,
  image: ReadableImage,
  pieces: readonly Piece[],
  found: Uint8Array,
): Promise<string> {
  const [piece] = pieces;
  if (piece === undefined) return "";
  const expected = new Uint8Array(piece.lengthBytes);
  await session.image.read(piece, expected, session.signal);
  const again = await readAgain(session, piece);
  const astray = astrayIn(image, piece, expected, found);
  // a bad reader is known by now; of a card that lies, much is wrong
  const isSteady = again !== null && Buffer.compare(again, found) === 0;
  for (const other of isSteady ? pieces.slice(1, maximumPieces) : []) {
    if (astray.length >= maximumSectors) break;
    const bytes = await readAgain(session, other);
    if (bytes === null) break;
    const wanted = new Uint8Array(other.lengthBytes);
    await session.image.read(other, wanted, session.signal);
    astray.push(...astrayIn(image, other, wanted, bytes));
  }
  return mismatchCause({ expected, found, again, astray: commonDistance(astray) ?? null });
}

const maximumSectors = 16;
const maximumPieces = 64;

/** null: that failed. */
async function readAgain({ device, signal }: CardSession, piece: Piece): Promise<Uint8Array | null> {
  signal.throwIfAborted();
  const bytes = alignedBuffer(piece.lengthBytes);
  return await device.read(bytes, piece.offsetBytes).then(
    () => bytes,
    () => null,
  );
}

function astrayIn(image: ReadableImage, piece: Piece, expected: Uint8Array, found: Uint8Array): Astray[] {
  return tellingSectors(expected, found, maximumSectors).flatMap((at) => {
    const foundAt = piece.offsetBytes + at;
    const belongsAt = findSector(image, found.subarray(at, at + sectorBytes), foundAt);
    return belongsAt === null ? [] : [{ foundAt, belongsAt }];
  });
}

/** Sizes at which a card that lies begins anew are multiples of it. */
const wrapBytes = 64 * 1024;
const maximumProbes = 1_000_000;

/** Where in the image, other than at `place`, the sector is; a card that lies writes everything modulo its true size. */
function findSector(image: ReadableImage, sector: Uint8Array, place: number): number | null {
  const candidate = new Uint8Array(sector.length);
  let probes = 0;
  for (const extent of image.data) {
    const skip = (place - extent.offsetBytes) % wrapBytes;
    const first = extent.offsetBytes + (skip < 0 ? skip + wrapBytes : skip);
    const end = Math.min(endOf(extent), image.sizeBytes);
    for (let at = first; at + sector.length <= end; at += wrapBytes) {
      probes += 1;
      if (probes > maximumProbes) return null;
      if (at === place) continue;
      if (
        readSync(image.fileDescriptor, candidate, 0, candidate.length, at) === candidate.length &&
        Buffer.compare(candidate, sector) === 0
      )
        return at;
    }
  }
  return null;
}
