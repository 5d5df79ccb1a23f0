import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { imageFormat, signatureBytes, type Compression } from "./compression.ts";
import { extent, gaps, alignOutward, type ReadBytes } from "./extents.ts";
import { lengthOf, type ImageMap, type OpenImage } from "./image-map.ts";
import { findBmap, type FoundBmap } from "./open-bmap.ts";
import { checkPromises } from "./open-checksums.ts";
import { dataExtents } from "./open-holes.ts";
import { openStream, type Stream } from "./open-stream.ts";
import { packedSize } from "./open-packed-size.ts";
import { readPartitionTables } from "./partitions.ts";
import { imageUsage } from "./usage.ts";

export interface OpenImageOptions {
  /**
   * `find`: the .bmap beside the image, where there is one; an absolute path: that one; null: none is used.
   * One beside a plain image that is older than it is not used: the image was made anew, and its holes tell as much.
   */
  readonly bmap: string | null;
  /** Hears how far the image is decompressed while it has to be whole before it can be handed out. */
  readonly tell?: (decompressedBytes: number) => void;
  /** Hears of a .bmap beside the image that is older than it, and so not used. */
  readonly onOlderBmap?: (path: string) => void;
}

/**
 * Opens an image with the rights that the process has now; nothing is opened by name later.
 * Disposing closes the file and ends what decompresses it; so does aborting.
 *
 * A packed image is decompressed into a nameless file in `$TMPDIR` or /var/tmp, which can be read as it grows; where
 * neither a block map nor its own header tells its size, it is whole before this resolves.
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
  const readFile = reader(fileDescriptor, absolute);
  const format = imageFormat(await readFile(0, signatureBytes));
  if (format.format === "foreign")
    throw new BerryError("bad-data", `${absolute} is ${format.name}, not an image`, { hint: format.remedy });
  const found = await findBmap(
    absolute,
    options.bmap,
    format.format === "raw" ? mtimeMs : -Infinity,
    options.onOlderBmap ?? (() => undefined),
  );
  const image =
    format.format === "raw"
      ? openRaw(fileDescriptor, fileBytes)
      : undo.use(
          await openPacked(
            { absolute, fileDescriptor, fileBytes, compression: format.format, tell: options.tell },
            found,
            signal,
          ),
        );
  const sizeBytes = image.sizeBytes;
  if (found !== null && found.bmap.sizeBytes !== sizeBytes) throw wrongSize(found, absolute, sizeBytes);
  const readImage = reader(image.fileDescriptor, absolute);
  const read: ReadBytes = async (offsetBytes, lengthBytes) => {
    signal.throwIfAborted();
    if (lengthBytes > 0) await image.moreThan(Math.min(offsetBytes + lengthBytes, sizeBytes) - 1, signal);
    return await readImage(offsetBytes, lengthBytes);
  };
  if (found !== null) await checkPromises(read, found, absolute, signal);
  const map = await mapOf(read, image, format.format === "raw", found);
  const owned = undo.move();
  return {
    path: absolute,
    fileDescriptor: image.fileDescriptor,
    map,
    availableBytes: () => image.availableBytes(),
    moreThan: (bytes, waiting) => image.moreThan(bytes, waiting),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const tellEveryBytes = 16 * MiB;

interface Readable extends Stream {
  readonly sizeBytes: number;
}

interface PackedFile {
  readonly absolute: string;
  readonly fileDescriptor: number;
  readonly fileBytes: number;
  readonly compression: Compression;
  readonly tell: ((decompressedBytes: number) => void) | undefined;
}

function openRaw(fileDescriptor: number, sizeBytes: number): Readable {
  return {
    sizeBytes,
    fileDescriptor,
    availableBytes: () => sizeBytes,
    moreThan: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openPacked(
  { absolute, fileDescriptor, fileBytes, compression, tell }: PackedFile,
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
        environment: process.env,
      },
      signal,
    ),
  );
  if (sizeBytes === null) await waitForAll(stream, tell, signal);
  const whole = sizeBytes ?? stream.availableBytes();
  if (whole === 0) throw empty(absolute);
  const owned = undo.move();
  return { ...stream, sizeBytes: whole, [Symbol.asyncDispose]: () => owned.disposeAsync() };
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

/** A pipe would wait for its writer without O_NONBLOCK. */
function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new BerryError("no-input", `cannot read the image ${path}`, { cause });
  }
}

function statImage(fileDescriptor: number, path: string): Stats {
  const found = fstatSync(fileDescriptor);
  if (found.isFile()) {
    if (found.size === 0) throw empty(path);
    return found;
  }
  const what = found.isDirectory()
    ? "a folder"
    : found.isBlockDevice()
      ? "a block device"
      : "no regular file";
  throw new BerryError("no-input", `${path} is ${what}: an image is a file`, {
    hint: "name a .img, .img.xz, .img.zst or .img.gz",
  });
}

function reader(fileDescriptor: number, path: string): ReadBytes {
  return async (offsetBytes, lengthBytes) => {
    const bytes = new Uint8Array(lengthBytes);
    let filled = 0;
    try {
      while (filled < lengthBytes) {
        const count = readSync(fileDescriptor, bytes, filled, lengthBytes - filled, offsetBytes + filled);
        if (count === 0) break;
        filled += count;
      }
    } catch (cause) {
      throw new BerryError("io", `cannot read ${path} at byte ${offsetBytes}: ${messageOf(cause)}`, {
        cause,
      });
    }
    return bytes.subarray(0, filled);
  };
}

function empty(path: string): BerryError {
  return new BerryError("bad-data", `${path} is empty: no image`);
}

function wrongSize({ path, bmap }: FoundBmap, image: string, sizeBytes: number): BerryError {
  return new BerryError(
    "bad-data",
    `the block map ${path} is of an image of ${bmap.sizeBytes} bytes, but ${image} has ${sizeBytes}`,
    { hint: `it belongs to another image: remove it, or name the right one` },
  );
}
