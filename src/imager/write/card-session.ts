import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { alignedBuffer, type OpenDevice } from "./open-device.ts";
import type { CardMessage } from "./card-task.ts";
import type { ImageReader } from "./image-reader.ts";
import type { Piece, WritePlan } from "./pieces.ts";
import type { Mismatch, WritePhase } from "./write-event.ts";

/** Requests of this size keep a card reader busy; larger ones bring nothing and make progress coarse. */
export const pieceBytes = 4 * MiB;

/** What the phases of writing one card share. */
export interface CardSession {
  readonly device: OpenDevice;
  readonly image: ImageReader;
  readonly plan: WritePlan;
  /** SHA-256 of what each piece of the card has to be, lower-case hexadecimal; noted when the piece is read from the image. */
  readonly digests: Map<Piece, string>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Progress {
  begin(phase: WritePhase, totalBytes: number): void;
  advance(bytes: number): void;
}

/** A card gave back something else than was written to it. */
export class NotVerified extends BerryError {
  readonly mismatch: Mismatch;

  constructor(device: string, mismatch: Mismatch) {
    super(
      "not-verified",
      `${device} gave back something else than was written: ${mismatch.lengthBytes} bytes at byte ${mismatch.offsetBytes} ` +
        `have SHA-256 ${mismatch.found}, written was ${mismatch.expected}; ${mismatch.cause}`,
      { hint: "do not use this card as it is: its beginning was cleared, so that nothing starts from it" },
    );
    this.mismatch = mismatch;
  }
}

/** Two buffers, so that one is filled while the other one is on its way. */
export function twoBuffers(): readonly [Uint8Array, Uint8Array] {
  return [alignedBuffer(pieceBytes), alignedBuffer(pieceBytes)];
}

export function digestOf(bytes: Uint8Array): string {
  return Bun.CryptoHasher.hash("sha256", bytes, "hex");
}

const tellMilliseconds = 100;

/** Progress as events, at most ten a second. */
export function progressEvents(
  device: string,
  emit: (message: CardMessage) => void,
  now: () => number,
): Progress {
  let phase: WritePhase = "writing";
  let doneBytes = 0;
  let totalBytes = 0;
  let toldAt = -Infinity;
  const tell = (): void => {
    toldAt = now();
    emit({ event: "progress", device, phase, doneBytes, totalBytes });
  };
  return {
    begin(next, total) {
      phase = next;
      doneBytes = 0;
      totalBytes = total;
      tell();
    },
    advance(bytes) {
      doneBytes += bytes;
      if (doneBytes >= totalBytes || now() - toldAt >= tellMilliseconds) tell();
    },
  };
}
