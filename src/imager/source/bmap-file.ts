import { createHash } from "node:crypto";
import { read } from "node:fs";
import { promisify } from "node:util";
import { BerryError, messageOf } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { renderBmap } from "./bmap.ts";
import { alignOutward, endOf, union } from "./extents.ts";
import type { Extent, ImageMap } from "./image-map.ts";

const blockBytes = 4096;
const readAt = promisify(read);

/**
 * The block map, format 2.0 with SHA-256, of what of an image has to reach a card: data, and the holes that stand
 * for zeros.
 * @param fileDescriptor of the whole image
 * @param tell hears how many bytes were read, of how many
 * @throws BerryError `io`
 */
export async function createBmap(
  fileDescriptor: number,
  map: ImageMap,
  tell: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { sizeBytes, data, zeros } = map;
  const extents = alignOutward(union([...data, ...zeros]), blockBytes, sizeBytes);
  const totalBytes = extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  let doneBytes = 0;
  const ranges = [];
  for (const extent of extents) {
    const checksum = await checksumOf(
      fileDescriptor,
      extent,
      (bytes) => tell(doneBytes + bytes, totalBytes),
      signal,
    );
    doneBytes += extent.lengthBytes;
    ranges.push({ ...extent, checksum });
  }
  return renderBmap({ sizeBytes, blockBytes, ranges });
}

async function checksumOf(
  fileDescriptor: number,
  extent: Extent,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(MiB, extent.lengthBytes));
  let offset = extent.offsetBytes;
  while (offset < endOf(extent)) {
    signal.throwIfAborted();
    const wanted = Math.min(buffer.length, endOf(extent) - offset);
    const { bytesRead } = await readAt(fileDescriptor, buffer, 0, wanted, offset).catch((cause: unknown) => {
      throw new BerryError("io", `cannot read the image at byte ${offset}: ${messageOf(cause)}`, { cause });
    });
    if (bytesRead === 0)
      throw new BerryError("io", `the image ends at byte ${offset}: it was changed meanwhile`);
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
    tell(offset - extent.offsetBytes);
  }
  return hash.digest("hex");
}
