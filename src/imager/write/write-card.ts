import { headBytes, planWrite, type Piece } from "./pieces.ts";
import { alignedBuffer, openDevice } from "./open-device.ts";
import { probeCapacity } from "./capacity.ts";
import { refuseOtherDisk } from "./card-identity.ts";
import { clearExtents, countKept, writePieces, zeroPieces } from "./card-phases.ts";
import { type CardSession, digestOf, pieceBytes, progressEvents } from "./card-session.ts";
import type { CardMessage, CardTask } from "./card-task.ts";
import { type Availability, imageReader, type ReadableImage, refuseChange } from "./image-reader.ts";
import { verifyPieces } from "./verify-card.ts";
import type { CommandRunner } from "../../core/ports.ts";
import { MiB } from "../../core/units.ts";
import { lengthOf } from "../source/image-map.ts";

export interface CardPorts {
  emit(message: CardMessage): void;
  /** Milliseconds. */
  now(): number;
  readonly availability: Availability;
  readonly runner: CommandRunner;
}

/**
 * Writes one card and reads it back. In this order, so that a card that was interrupted never looks whole:
 * clear the head and old signatures, mark the memory behind the image, write everything else, flush, write the head,
 * flush, look at the marks, read all of it back; a card that fails after its head was written has its head cleared again.
 *
 * @param fileDescriptor of the image
 * @throws BerryError `temporary` and `no-permission` before anything was written; `bad-data` for the image, `io` for
 *   the card, NotVerified
 */
export async function writeCard(
  task: CardTask,
  fileDescriptor: number,
  ports: CardPorts,
  signal: AbortSignal,
): Promise<void> {
  await using device = await openDevice(task.device);
  await refuseOtherDisk(task, device, ports.runner, signal);
  const image: ReadableImage = {
    fileDescriptor,
    path: task.image,
    sizeBytes: task.map.sizeBytes,
    data: task.map.data,
  };
  const card = { sizeBytes: task.identity.sizeBytes, sectorBytes: task.sectorBytes };
  const plan = planWrite(task.map, card, pieceBytes);
  const session: CardSession = {
    device,
    image: imageReader(image, ports.availability),
    plan,
    digests: new Map(),
    progress: progressEvents(task.device, ports.emit, ports.now),
    signal,
  };
  const head = await readHead(session);
  const there = task.resume ? await whatIsThere(session, head) : { pieces: 0, head: false };
  const rest = plan.body.slice(there.pieces);
  const isWhole = there.head && rest.length === 0;
  const headExtent = { offsetBytes: 0, lengthBytes: Math.min(headBytes, card.sizeBytes) };

  const begunAt = ports.now();
  session.progress.begin("writing", lengthOf(rest) + (isWhole ? 0 : lengthOf(plan.head)));
  let writtenBytes = await clearExtents(device, isWhole ? plan.probes : [headExtent, ...plan.probes], signal);
  const clearedBytes = writtenBytes;
  const flush = async (): Promise<void> => {
    session.progress.begin("flushing", 0);
    await device.flush();
  };
  if (writtenBytes > 0) await device.flush();
  const capacity = isWhole ? null : await probeCapacity(device, image.sizeBytes, card);
  await writePieces(session, rest);
  writtenBytes += lengthOf(rest);
  if (rest.length > 0) await flush();
  // the image may have been unpacked wrongly although all that matters of it has come
  await ports.availability.atLeast(image.sizeBytes, signal);
  if (task.stamp !== null) refuseChange(task.image, fileDescriptor, task.stamp);

  let writtenAt = ports.now();
  const verified = verifiedPieces(session, {
    isWhole,
    isAsCompared: rest.length === 0 && task.resume,
    clearedBytes,
  });
  try {
    signal.throwIfAborted();
    if (!isWhole) {
      for (const { piece, bytes } of head) await device.write(bytes, piece.offsetBytes);
      writtenBytes += lengthOf(plan.head);
      await flush();
      await capacity?.check();
      await capacity?.restore();
      writtenAt = ports.now();
    }
    session.progress.begin("verifying", lengthOf(verified));
    await verifyPieces(session, image, verified);
  } catch (thrown) {
    await blank(session, headExtent.lengthBytes);
    throw thrown;
  }
  const verifiedAt = ports.now();
  device.rereadPartitions();
  ports.emit({
    event: "verified",
    device: task.device,
    writtenBytes,
    verifiedBytes: lengthOf(verified),
    keptBytes: lengthOf(plan.body.slice(0, there.pieces)) + (isWhole ? lengthOf(plan.head) : 0),
    writeSeconds: (writtenAt - begunAt) / 1000,
    verifySeconds: (verifiedAt - writtenAt) / 1000,
  });
}

interface HeadPiece {
  readonly piece: Piece;
  readonly bytes: Uint8Array;
}

/** It is kept in memory: what is written last has to be read first, where the .bmap's digests are checked in order. */
async function readHead(session: CardSession): Promise<HeadPiece[]> {
  const pieces: HeadPiece[] = [];
  for (const piece of session.plan.head) {
    const bytes = alignedBuffer(piece.lengthBytes);
    await session.image.read(piece, bytes, session.signal);
    session.digests.set(piece, digestOf(bytes));
    pieces.push({ piece, bytes });
  }
  return pieces;
}

async function whatIsThere(
  session: CardSession,
  head: readonly HeadPiece[],
): Promise<{ readonly pieces: number; readonly head: boolean }> {
  const { body, head: headPieces } = session.plan;
  session.progress.begin("comparing", lengthOf(body) + lengthOf(headPieces));
  let isHeadThere = true;
  for (const { piece, bytes } of head) {
    const found = alignedBuffer(piece.lengthBytes);
    await session.device.read(found, piece.offsetBytes);
    isHeadThere &&= Buffer.compare(found, bytes) === 0;
  }
  return { pieces: await countKept(session, body), head: isHeadThere };
}

/** A card that lies about its size mostly has a power of two of it; writing the head may have changed what lies here. */
const wrapSuspectBytes = 64 * MiB;

/**
 * What has to be read back: everything, unless it was all read just now and found to be there. Then it is the head,
 * and the places where a head would have come out on a card that lies about its size.
 */
function verifiedPieces(
  { plan, digests }: CardSession,
  done: { readonly isWhole: boolean; readonly isAsCompared: boolean; readonly clearedBytes: number },
): Piece[] {
  const probes = zeroPieces(plan.probes);
  for (const piece of probes) digests.set(piece, digestOf(new Uint8Array(piece.lengthBytes)));
  if (done.isWhole && done.clearedBytes === 0) return [];
  const suspects = plan.body.filter(
    ({ offsetBytes, lengthBytes }) =>
      offsetBytes % wrapSuspectBytes < headBytes ||
      wrapSuspectBytes - (offsetBytes % wrapSuspectBytes) < lengthBytes,
  );
  const isAllKept = done.isAsCompared && !done.isWhole;
  const body = isAllKept ? suspects : plan.body;
  return [...plan.head, ...body, ...probes].toSorted((one, other) => one.offsetBytes - other.offsetBytes);
}

/** Best effort: the card may be gone. */
async function blank({ device }: CardSession, lengthBytes: number): Promise<void> {
  const zeros = alignedBuffer(lengthBytes);
  try {
    await device.write(zeros, 0);
    await device.flush();
  } catch {
    // what stopped the card before is told
  }
}
