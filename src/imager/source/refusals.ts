import { basename } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { promisedPacking } from "./compression.ts";
import type { FoundBmap } from "./open-bmap.ts";

/**
 * For a file that begins like nothing packed.
 * @param head its first bytes
 * @throws BerryError `bad-data` where its name says that it is packed
 */
export function refuseWrongName(path: string, head: Uint8Array): void {
  const promised = promisedPacking(basename(path));
  if (promised === null) return;
  const found = Buffer.from(head.subarray(0, 8)).toString("hex");
  throw new BerryError(
    "bad-data",
    `${path} is named ${promised}, but nothing packed: it begins with ${found}`,
    {
      hint: "the download is damaged, or a page that told of an error: get it again; a plain image is named .img",
    },
  );
}

export function cutShort(path: string, sizeBytes: number, reachBytes: number): BerryError {
  return new BerryError(
    "bad-data",
    `${path} ends at byte ${sizeBytes}, but its partition table reaches byte ${reachBytes}: it was cut short`,
    { hint: "get it again, or make it again: a copy needs all of the disk's partitions" },
  );
}

export function foreign(path: string, what: string, remedy: string): BerryError {
  return new BerryError("bad-data", `${path} ${what}, not an image`, { hint: remedy });
}

export function empty(path: string): BerryError {
  return new BerryError("bad-data", `${path} is empty: no image`);
}

export function wrongSize({ path, bmap }: FoundBmap, image: string, sizeBytes: number): BerryError {
  return new BerryError(
    "bad-data",
    `the block map ${path} is of an image of ${bmap.sizeBytes} bytes, but ${image} has ${sizeBytes}`,
    { hint: `it belongs to another image: remove it, or name the right one` },
  );
}
