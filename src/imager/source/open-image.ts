import { closeSync } from "node:fs";
import { resolve } from "node:path";
import { MiB } from "../../core/units.ts";
import { imageFormat, signatureBytes, type Compression } from "./compression.ts";
import { extent, gaps, alignOutward, type ReadBytes } from "./extents.ts";
import { lengthOf, type ImageMap, type OpenImage } from "./image-map.ts";
import { findBmap, type FoundBmap } from "./open-bmap.ts";
import { checkPromises } from "./open-checksums.ts";
import { openFile, reader, statImage } from "./open-file.ts";
import { dataExtents } from "./open-holes.ts";
import { openStream, type Stream } from "./open-stream.ts";
import { packedSize } from "./open-packed-size.ts";
import { readPartitionTables } from "./partitions.ts";
import { cutShort, empty, foreign, refuseWrongName, wrongSize } from "./refusals.ts";
import { soundnessOf } from "./soundness.ts";
import { stampOf } from "./stamp-file.ts";
import { imageUsage } from "./usage.ts";

export interface OpenImageOptions {
  /**
   * `find`: the .bmap beside the image, where there is one; an absolute path: that one; null: none is used.
   * One beside a plain image that is older than it is not used: the image was made anew, and its holes tell as much.
   */
  readonly bmap: string | null;
  /** Hears how far the image is decompressed while it has to be whole before it can be handed out. */
  readonly tell?: (decompressedBytes: number) => void;
  /**
   * Hears what the user should know before the image is written, but what is no reason to refuse it: a .bmap that is
   * older than it and so not used, bytes behind a gzip stream, that it does not look like an image of a disk.
   */
  readonly warn?: (message: string, hint: string) => void;
}

/**
 * Opens an image with the rights that the process has now; nothing is opened by name later.
 * Disposing closes the file and ends what decompresses it; so does aborting.
 *
 * A packed image is decompressed into a nameless file in `$TMPDIR` or /var/tmp, which can be read as it grows; where
 * neither a block map nor its own header tells its size, it is whole before this resolves.
 * Nothing is handed out of what is no image, or of one whose partition table reaches beyond its end.
 * @param path of a .img, .img.xz, .img.zst or .img.gz: its first bytes say which, not its name
 * @throws BerryError `no-input`, `bad-data`, `unavailable`, `cannot-create`, `io`
 */
export async function openImage(
  path: string,
  options: OpenImageOptions,
  signal: AbortSignal,
): Promise<OpenImage> {
  signal.throwIfAborted();
  const absolute = resolve(path);
  await using undo = new AsyncDisposableStack();
  const fileDescriptor = openFile(absolute);
  undo.defer(() => closeSync(fileDescriptor));
  const { size: fileBytes, mtimeMs } = statImage(fileDescriptor, absolute);
  const stamp = stampOf(fileDescriptor);
  const warn = options.warn ?? (() => undefined);
  const readFile = reader(fileDescriptor, absolute);
  const head = await readFile(0, signatureBytes);
  const format = imageFormat(head);
  if (format.format === "foreign") throw foreign(absolute, `is ${format.name}`, format.remedy);
  if (format.format === "raw") refuseWrongName(absolute, head);
  const found = await findBmap(
    absolute,
    options.bmap,
    format.format === "raw" ? mtimeMs : -Infinity,
    (older) =>
      warn(`${older} is older than the image, and not used`, `if it belongs to the image: --bmap ${older}`),
  );
  const image =
    format.format === "raw"
      ? openRaw(fileDescriptor, fileBytes)
      : undo.use(
          await openPacked(
            { absolute, fileDescriptor, fileBytes, compression: format.format, tell: options.tell, warn },
            found,
            signal,
          ),
        );
  const sizeBytes = image.sizeBytes;
  const readImage = reader(image.fileDescriptor, absolute);
  const read: ReadBytes = async (offsetBytes, lengthBytes) => {
    signal.throwIfAborted();
    if (lengthBytes > 0) await image.moreThan(Math.min(offsetBytes + lengthBytes, sizeBytes) - 1, signal);
    return await readImage(offsetBytes, lengthBytes);
  };
  await refuseUnsound(read, image, absolute, warn, signal);
  if (found !== null && found.bmap.sizeBytes !== sizeBytes) throw wrongSize(found, absolute, sizeBytes);
  if (found !== null) await checkPromises(read, found, absolute, signal);
  const map = await mapOf(read, image, format.format === "raw", found);
  const owned = undo.move();
  return {
    path: absolute,
    fileDescriptor: image.fileDescriptor,
    map,
    stamp: format.format === "raw" ? stamp : null,
    availableBytes: () => image.availableBytes(),
    moreThan: (bytes, waiting) => image.moreThan(bytes, waiting),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const tellEveryBytes = 16 * MiB;

interface Readable extends Stream {
  readonly sizeBytes: number;
  /** Only a block map told the size. */
  readonly isPromised: boolean;
}

interface PackedFile {
  readonly absolute: string;
  readonly fileDescriptor: number;
  readonly fileBytes: number;
  readonly compression: Compression;
  readonly tell: ((decompressedBytes: number) => void) | undefined;
  readonly warn: (message: string, hint: string) => void;
}

function openRaw(fileDescriptor: number, sizeBytes: number): Readable {
  return {
    sizeBytes,
    isPromised: false,
    fileDescriptor,
    availableBytes: () => sizeBytes,
    moreThan: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openPacked(
  { absolute, fileDescriptor, fileBytes, compression, tell, warn }: PackedFile,
  found: FoundBmap | null,
  signal: AbortSignal,
): Promise<Readable> {
  const told = await packedSize(
    { path: absolute, fileDescriptor, fileBytes, compression, environment: process.env },
    reader(fileDescriptor, absolute),
    signal,
  );
  if (told !== null && found !== null && found.bmap.sizeBytes !== told)
    throw wrongSize(found, absolute, told);
  const sizeBytes = told ?? found?.bmap.sizeBytes ?? null;
  if (sizeBytes === 0) throw empty(absolute);
  await using undo = new AsyncDisposableStack();
  const stream = undo.use(
    await openStream(
      {
        path: absolute,
        packedDescriptor: fileDescriptor,
        compression,
        sizeBytes,
        // what was packed is smaller than what comes of it, zeros apart
        leastBytes: found === null ? fileBytes : lengthOf(found.bmap.ranges),
        warn,
        environment: process.env,
      },
      signal,
    ),
  );
  await stream.moreThan(signatureBytes - 1, signal);
  const head = await reader(stream.fileDescriptor, absolute)(0, signatureBytes);
  const content = imageFormat(head.subarray(0, stream.availableBytes()));
  if (content.format === "foreign")
    throw foreign(absolute, `holds ${content.name} when it is unpacked`, content.remedy);
  if (content.format !== "raw")
    throw foreign(absolute, `is packed twice, by ${content.format} within`, "unpack it once first");
  if (sizeBytes === null) await waitForAll(stream, tell, signal);
  const whole = sizeBytes ?? stream.availableBytes();
  if (whole === 0) throw empty(absolute);
  const owned = undo.move();
  const isPromised = told === null && sizeBytes !== null;
  return { ...stream, sizeBytes: whole, isPromised, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function waitForAll(stream: Stream, tell: PackedFile["tell"], signal: AbortSignal): Promise<void> {
  let next = tellEveryBytes;
  do {
    await stream.moreThan(next, signal);
    tell?.(stream.availableBytes());
    next += tellEveryBytes;
  } while (stream.availableBytes() > next - tellEveryBytes);
}

async function mapOf(
  read: ReadBytes,
  { fileDescriptor, sizeBytes }: Readable,
  isRaw: boolean,
  found: FoundBmap | null,
): Promise<ImageMap> {
  if (found === null && isRaw) {
    const data = alignOutward(dataExtents(fileDescriptor, sizeBytes), 512, sizeBytes);
    const usage = await imageUsage(read, sizeBytes, gaps(data, sizeBytes));
    return { sizeBytes, from: "holes", data: data.map((one) => ({ ...one, sha256: null })), ...usage };
  }
  const partitions = (await readPartitionTables(read, sizeBytes))?.partitions ?? [];
  if (found === null) {
    const data = [{ ...extent(0, sizeBytes), sha256: null }];
    return { sizeBytes, from: "everything", data, zeros: [], partitions };
  }
  const { ranges, checksumType } = found.bmap;
  const data = ranges.map(({ offsetBytes, lengthBytes, checksum }) => ({
    ...extent(offsetBytes, lengthBytes),
    sha256: checksumType === "sha256" ? checksum : null,
  }));
  return { sizeBytes, from: "bmap", data, zeros: [], partitions };
}

async function refuseUnsound(
  read: ReadBytes,
  image: Readable,
  path: string,
  warn: PackedFile["warn"],
  signal: AbortSignal,
): Promise<void> {
  const { sizeBytes } = image;
  const soundness = await soundnessOf(read, sizeBytes);
  switch (soundness.is) {
    case "sound":
      return;
    case "strange":
      warn(
        `${path} has neither a partition table nor a file system that berry knows: it may be no image of a disk`,
        `see what it is: file ${path}`,
      );
      return;
    case "cut":
      // the block map may be what is wrong: the end of the stream tells
      if (image.isPromised) await image.moreThan(Infinity, signal);
      throw cutShort(path, sizeBytes, soundness.reachBytes);
  }
}
