import type { BerryError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { alignedBuffer, type OpenDevice } from "./open-device.ts";
import { digestOf, NotVerified } from "./card-session.ts";
import { mismatchCause } from "./mismatch-cause.ts";
import type { CardGeometry } from "./pieces.ts";

/** What proves that the memory behind an image is there: the root file system grows into it when the Pi starts. */
export interface CapacityProbe {
  /** @throws NotVerified when a mark is not what it has to be; BerryError `io` */
  check(): Promise<void>;
  /** Gives back what lay under the marks. @throws BerryError `io` */
  restore(): Promise<void>;
}

/** One page, so that unbuffered requests accept it. */
export const markBytes = 4096;

/**
 * Where marks are set: at the end of the card, and at every power of two behind the image. A card that has less memory
 * than it says either keeps nothing behind its true size, or begins anew there; true sizes are mostly powers of two, so
 * that a mark and the head of the card would be the same place then.
 */
export function markOffsets(imageBytes: number, { sizeBytes }: CardGeometry): number[] {
  const last = Math.floor(sizeBytes / markBytes) * markBytes - markBytes;
  const offsets: number[] = [];
  for (let power = markBytes; power < last; power *= 2) if (power >= imageBytes) offsets.push(power);
  return last >= imageBytes ? [...offsets, last] : offsets;
}

/**
 * Sets the marks, and looks at once whether they are there: a card that keeps nothing behind its true size is found
 * before the image is written. One that begins anew is found by checking again, when everything is written.
 *
 * @throws NotVerified, BerryError `io`
 */
export async function probeCapacity(
  device: OpenDevice,
  imageBytes: number,
  card: CardGeometry,
): Promise<CapacityProbe> {
  const marks = markOffsets(imageBytes, card).map((offsetBytes) => ({
    offsetBytes,
    before: alignedBuffer(markBytes),
    mark: markOf(offsetBytes, device.path),
  }));
  for (const { offsetBytes, before } of marks) await device.read(before, offsetBytes);
  const check = async (): Promise<void> => {
    const found = alignedBuffer(markBytes);
    let soundBytes = imageBytes;
    for (const { offsetBytes, mark } of marks) {
      await device.read(found, offsetBytes);
      if (Buffer.compare(found, mark) !== 0)
        throw await notThere(device, card.sizeBytes, { offsetBytes, mark, found, soundBytes });
      soundBytes = offsetBytes + markBytes;
    }
  };
  const restore = async (): Promise<void> => {
    // backwards: where two marks are one place, what lay there first is what was read first
    for (const { offsetBytes, before } of marks.toReversed()) await device.write(before, offsetBytes);
    if (marks.length > 0) await device.flush();
  };
  for (const { offsetBytes, mark } of marks) await device.write(mark, offsetBytes);
  if (marks.length > 0) await device.flush();
  try {
    await check();
  } catch (thrown) {
    await restore().catch(() => undefined);
    throw thrown;
  }
  return { check, restore };
}

/** Another at every place, and another every time: what an earlier attempt left proves nothing. */
function markOf(offsetBytes: number, path: string): Uint8Array {
  const mark = alignedBuffer(markBytes);
  const line = `berry: is there memory at byte ${offsetBytes} of ${path}? ${crypto.randomUUID()}\n`;
  mark.set(new TextEncoder().encode(line.repeat(Math.ceil(markBytes / line.length)).slice(0, markBytes)));
  return mark;
}

interface Missing {
  readonly offsetBytes: number;
  readonly mark: Uint8Array;
  readonly found: Uint8Array;
  /** Up to here nothing is wrong. */
  readonly soundBytes: number;
}

/** A card that keeps nothing at all, or has single bad bytes, does not lie about its size. */
async function notThere(device: OpenDevice, sizeBytes: number, missing: Missing): Promise<BerryError> {
  const { offsetBytes, mark, found, soundBytes } = missing;
  const isMostlyThere = mark.filter((byte, index) => byte === found[index]).length > markBytes / 2;
  const isSize = !isMostlyThere && (await keepsItsHead(device));
  return new NotVerified(device.path, {
    offsetBytes,
    lengthBytes: markBytes,
    expected: digestOf(mark),
    found: digestOf(found),
    cause: isSize
      ? `the card lies about its size: it says ${formatBytes(sizeBytes)}, and what is written behind the image is ` +
        `lost somewhere between ${formatBytes(soundBytes)} and ${formatBytes(offsetBytes + markBytes)}; use another one`
      : mismatchCause({ expected: mark, found, again: null, astray: null }),
  });
}

/** The head is cleared then: it is not written yet, or the card has failed. */
async function keepsItsHead(device: OpenDevice): Promise<boolean> {
  const mark = markOf(0, device.path);
  const found = alignedBuffer(markBytes);
  await device.write(mark, 0);
  await device.flush();
  await device.read(found, 0);
  await device.write(alignedBuffer(markBytes), 0);
  await device.flush();
  return Buffer.compare(found, mark) === 0;
}
