import { hasExtMagic, superblockBytes, superblockOffset } from "./ext-superblock.ts";
import { endOf, extent, type ReadBytes } from "./extents.ts";
import { looksLikeFat } from "./fat-usage.ts";
import { readPartitionTables } from "./partitions.ts";
import { hasFileSystem } from "./usage.ts";

/**
 * `cut`: a partition ends beyond the image, and no file system that ends before fills it;
 * `strange`: neither a partition table nor a FAT or an ext4, so that nothing tells whether it is an image at all.
 */
export type Soundness =
  | { readonly is: "sound" }
  | { readonly is: "cut"; readonly reachBytes: number }
  | { readonly is: "strange" };

/** What speaks against that these bytes are a whole image of a disk. @throws BerryError of `read` alone */
export async function soundnessOf(read: ReadBytes, sizeBytes: number): Promise<Soundness> {
  const tables = await readPartitionTables(read, sizeBytes);
  if (tables === null)
    return (await hasFileSystem(read, extent(0, sizeBytes))) ? { is: "sound" } : { is: "strange" };
  let reachBytes = 0;
  for (const partition of tables.beyond) {
    // OpenWrt leaves out what follows the squashfs within its partition
    const start = partition.offsetBytes;
    const end = start < sizeBytes ? await endOfFileSystem(read, start) : null;
    if (end === null || end > sizeBytes) reachBytes = Math.max(reachBytes, endOf(partition));
  }
  return reachBytes === 0 ? { is: "sound" } : { is: "cut", reachBytes };
}

/** Where the file system that begins here says that it ends; null: it is none that is known. */
async function endOfFileSystem(read: ReadBytes, start: number): Promise<number | null> {
  const first = await read(start, 512);
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  if (looksLikeFat(first)) {
    const sectors = view.getUint16(19, true) === 0 ? view.getUint32(32, true) : view.getUint16(19, true);
    return start + sectors * view.getUint16(11, true);
  }
  if (new TextDecoder("latin1").decode(first.subarray(0, 4)) === "hsqs" && first.length >= 48)
    return start + Number(view.getBigUint64(40, true));
  const superblock = await read(start + superblockOffset, superblockBytes);
  if (!hasExtMagic(superblock)) return null;
  const ext = new DataView(superblock.buffer, superblock.byteOffset, superblock.byteLength);
  const has64Bits = (ext.getUint32(0x60, true) & 0x80) !== 0;
  const blocks = ext.getUint32(4, true) + (has64Bits ? ext.getUint32(0x150, true) * 2 ** 32 : 0);
  return start + blocks * 1024 * 2 ** ext.getUint32(0x18, true);
}
