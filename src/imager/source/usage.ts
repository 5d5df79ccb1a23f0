import { extUsage } from "./ext-usage.ts";
import { endOf, extent, intersection, union, type ReadBytes } from "./extents.ts";
import { fatUsage, looksLikeFat } from "./fat-usage.ts";
import { hasExtMagic, superblockBytes, superblockOffset } from "./ext-superblock.ts";
import type { Extent } from "./image-map.ts";
import { readPartitionTables } from "./partitions.ts";

/** Where other things have their marks: beside one of them a FAT or an ext4 is a relic, or will be one. */
const strangers = [
  { offset: 0, magic: "XFSB" },
  { offset: 0, magic: "LUKS" },
  { offset: 512, magic: "LABELONE" },
  { offset: 4086, magic: "SWAPSPACE2" },
  { offset: 4096, magic: "\u00fc\u004e\u002b\u00a9" },
  { offset: 0x1_0040, magic: "_BHRfS_M" },
];

export interface ImageUsage {
  readonly partitions: readonly Extent[];
  /** The holes that stand for zeros. In doubt every hole does: a hole is free only where a file system says so. */
  readonly zeros: readonly Extent[];
}

/**
 * Which holes of an image are free space of its file systems, and which are zeros that have to be on the card.
 * @param holes in order and without overlap
 * @throws BerryError of `read` alone; what cannot be understood is in use
 */
export async function imageUsage(
  read: ReadBytes,
  sizeBytes: number,
  holes: readonly Extent[],
): Promise<ImageUsage> {
  const found = await readPartitionTables(read, sizeBytes);
  const whole = extent(0, sizeBytes);
  if (found === null) {
    return {
      partitions: (await hasFileSystem(read, whole)) ? [whole] : [],
      zeros: await neededHoles(read, whole, holes),
    };
  }
  let needed: Extent[] = intersection(found.tables, holes);
  for (const partition of found.partitions)
    needed = [...needed, ...(await neededHoles(read, partition, holes))];
  // a disk that is both: with a table, and a file system that begins where the table is
  if (await hasFileSystem(read, whole)) needed = [...needed, ...(await neededHoles(read, whole, holes))];
  return { partitions: found.partitions, zeros: union(needed) };
}

async function neededHoles(
  read: ReadBytes,
  area: Extent,
  holes: readonly Extent[],
): Promise<readonly Extent[]> {
  const inside = intersection(holes, [area]);
  if (inside.length === 0) return [];
  const used = await usageOf(read, area);
  return used === null ? inside : intersection(used, inside);
}

/** @returns null in doubt: of an unknown file system, of a damaged one, of one that claims to be larger than its place */
async function usageOf(read: ReadBytes, area: Extent): Promise<readonly Extent[] | null> {
  const start = area.offsetBytes;
  const isFat = looksLikeFat(await read(start, 512));
  const isExt = hasExtMagic(await read(start + superblockOffset, superblockBytes));
  if (isFat === isExt) return null;
  for (const { offset, magic } of strangers) {
    const found = await read(start + offset, magic.length);
    if (new TextDecoder("latin1").decode(found) === magic) return null;
  }
  const used = isFat ? await fatUsage(read, area) : await extUsage(read, area);
  return used === null || used.some((one) => endOf(one) > endOf(area)) ? null : used;
}

/** Whether a FAT or an ext4 begins here. */
export async function hasFileSystem(read: ReadBytes, { offsetBytes }: Extent): Promise<boolean> {
  return (
    looksLikeFat(await read(offsetBytes, 512)) ||
    hasExtMagic(await read(offsetBytes + superblockOffset, superblockBytes))
  );
}
