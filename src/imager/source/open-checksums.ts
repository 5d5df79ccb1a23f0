import { createHash } from "node:crypto";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { endOf, type ReadBytes } from "./extents.ts";
import type { FoundBmap } from "./open-bmap.ts";

/**
 * Checks what a block map promises in other sums than SHA-256, which is checked as the card is written: reads all
 * mapped ranges, waiting for them where they are still being decompressed.
 * @throws BerryError `bad-data`
 */
export async function checkPromises(
  read: ReadBytes,
  { path, bmap }: FoundBmap,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  if (bmap.checksumType === "sha256") return;
  for (const range of bmap.ranges) {
    if (range.checksum === null) continue;
    const hash = createHash(bmap.checksumType);
    for (let offset = range.offsetBytes; offset < endOf(range); offset += MiB) {
      signal.throwIfAborted();
      hash.update(await read(offset, Math.min(MiB, endOf(range) - offset)));
    }
    if (hash.digest("hex") === range.checksum) continue;
    throw new BerryError(
      "bad-data",
      `${image} is not what ${path} promises: the ${bmap.checksumType} of ${range.lengthBytes} bytes at ${range.offsetBytes} differs`,
      { hint: "the image is damaged, or the block map belongs to another: get both again" },
    );
  }
}
