import { dirname } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import type { Clock } from "../../core/ports.ts";
import type { Disk } from "../disks/disk.ts";
import { lengthOf, type OpenImage } from "../source/image-map.ts";
import { type CardEnd, type CardProcess, startCardProcess } from "./card-process.ts";
import type { WriteEvent } from "./write-event.ts";

/** One card that was judged and confirmed. */
export interface CardRequest {
  readonly disk: Disk;
  /** The user knows that it is not removable. */
  readonly isConfirmed: boolean;
  readonly image: OpenImage;
}

export interface WriteOptions {
  /** What starts berry's own process for one card. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly resume: boolean;
  /** A card that does not answer for so long is given up. */
  readonly giveUpSeconds: number;
}

/**
 * Writes all cards at once, each in a process of its own, and tells how it goes. The ends are in the order of the
 * cards. When the signal is aborted, every card stops after the write in flight.
 */
export async function writeCards(
  cards: readonly CardRequest[],
  options: WriteOptions,
  ports: { emit(event: WriteEvent): void; readonly clock: Clock },
  signal: AbortSignal,
): Promise<readonly CardEnd[]> {
  const { emit, clock } = ports;
  const startedAt = clock.now();
  const images = [...new Set(cards.map(({ image }) => image))];
  const keep = images.flatMap(({ path }) => [path, dirname(path)]);
  const processes = cards.map((card) => {
    emit(cardEvent(card));
    const { disk, image, isConfirmed } = card;
    const task = {
      device: disk.path,
      identity: disk.identity,
      sectorBytes: Math.max(512, disk.logicalSectorBytes),
      isConfirmed,
      keep,
      image: image.path,
      map: image.map,
      stamp: image.stamp,
      resume: options.resume,
    };
    const { argv, environment, giveUpSeconds } = options;
    const { fileDescriptor } = image;
    return startCardProcess({ argv, environment, task, fileDescriptor, giveUpSeconds }, ports);
  });
  const onAbort = (): void => {
    for (const process of processes) {
      process.stop(new BerryError("interrupted", `${process.device} is not finished`));
    }
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const over = new AbortController();
  const feeding = images.map(async (image) => {
    const fed = processes.filter((_, index) => cards[index]?.image === image);
    await feed(image, fed, over.signal);
  });
  try {
    const ends = await Promise.all(
      processes.map(async ({ ended }) => {
        const end = await ended;
        emit(end);
        return end;
      }),
    );
    const written = ends.filter(({ event }) => event === "verified").length;
    const seconds = (clock.now() - startedAt) / 1000;
    emit({ event: "finished", written, failed: ends.length - written, seconds });
    return ends;
  } finally {
    over.abort();
    signal.removeEventListener("abort", onAbort);
    await Promise.all(feeding);
  }
}

function cardEvent({ disk, image }: CardRequest): WriteEvent {
  return {
    event: "card",
    device: disk.path,
    image: image.path,
    model: disk.model,
    sizeBytes: disk.identity.sizeBytes,
    writeBytes: lengthOf(image.map.data) + lengthOf(image.map.zeros),
  };
}

/** No need to tell of every block that a decompressor brings. */
const feedBytes = 1 * MiB;

/**
 * Tells the cards how far the image can be read; what stops the decompressor stops them.
 * The last byte is told of when the image is known to be whole and sound: a decompressor finds a wrong checksum after
 * it has brought everything.
 */
async function feed(image: OpenImage, processes: readonly CardProcess[], signal: AbortSignal): Promise<void> {
  const whole = image.map.sizeBytes;
  const tell = (bytes: number): void => {
    for (const process of processes) process.tellAvailable(bytes);
  };
  try {
    for (let available = image.availableBytes(); available < whole; available = image.availableBytes()) {
      tell(available);
      await image.moreThan(Math.min(available + feedBytes, whole - 1), signal);
    }
    tell(whole - 1);
    await image.moreThan(whole, signal);
    tell(whole);
  } catch (thrown) {
    if (signal.aborted) return;
    const reason =
      thrown instanceof BerryError
        ? thrown
        : new BerryError("bad-data", `${image.path} cannot be read on: ${messageOf(thrown)}`);
    for (const process of processes) process.stop(reason);
  }
}
