import { crc16, crc32c, createCrc, type Crc } from "./crc.ts";
import {
  descriptorChecksum,
  hasSuperblockCopy,
  readExtSuperblock,
  superblockBytes,
  superblockOffset,
  type ExtSuperblock,
} from "./ext-superblock.ts";
import { difference, extent, union, type ReadBytes } from "./extents.ts";
import type { Extent } from "./image-map.ts";

interface Group {
  readonly blockBitmap: number;
  readonly blockBitmapChecksum: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly unusedInodes: number;
  /** Its block bitmap was never written. */
  readonly isBlockBitmapMissing: boolean;
  /** The kernel takes the unused inodes for zeros. */
  readonly isTableZeroed: boolean;
}

/**
 * What of an ext2, ext3 or ext4 has to hold what the image holds: all that the block bitmaps call used, the journal
 * and the descriptors among it, but for the tails of inode tables that nothing reads before they are zeroed.
 * @param area of the file system; offsets of the result count as its own do
 * @returns null where it is none, or none that can be trusted
 */
export async function extUsage(read: ReadBytes, area: Extent): Promise<Extent[] | null> {
  const superblock = readExtSuperblock(
    await read(area.offsetBytes + superblockOffset, superblockBytes),
    area.lengthBytes,
  );
  if (superblock === null) return null;
  const { blockBytes } = superblock;
  const groups = await readGroups(read, area, superblock);
  if (groups === null) return null;
  const sum = createCrc(crc32c);
  const used: Extent[] = [extent(0, Math.max(blockBytes, superblockOffset + superblockBytes))];
  const tables: Extent[] = [];
  const neededTables: Extent[] = [];
  for (const [index, group] of groups.entries()) {
    const marked = await usedBlocks(read, area, superblock, index, group, sum);
    if (marked === null) return null;
    for (const one of marked) used.push(one);
    used.push(extent(group.blockBitmap * blockBytes, blockBytes));
    used.push(extent(group.inodeBitmap * blockBytes, blockBytes));
    const { inodesPerGroup, inodeBytes } = superblock;
    const inodes = group.isTableZeroed ? inodesPerGroup : inodesPerGroup - group.unusedInodes;
    const whole = Math.ceil((inodesPerGroup * inodeBytes) / blockBytes);
    const needed = Math.ceil((inodes * inodeBytes) / blockBytes);
    tables.push(extent(group.inodeTable * blockBytes, whole * blockBytes));
    neededTables.push(extent(group.inodeTable * blockBytes, needed * blockBytes));
  }
  const all = union([...difference(union(used), union(tables)), ...neededTables]);
  return all.map((one) => extent(area.offsetBytes + one.offsetBytes, one.lengthBytes));
}

async function readGroups(read: ReadBytes, area: Extent, superblock: ExtSuperblock): Promise<Group[] | null> {
  const { blockBytes, descriptorBytes, groups, blocks } = superblock;
  const crc = createCrc(superblock.checksum === "crc16" ? crc16 : crc32c);
  const perBlock = Math.floor(blockBytes / descriptorBytes);
  const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeBytes) / blockBytes);
  const found: Group[] = [];
  for (let first = 0; first < groups; first += perBlock) {
    const block = descriptorBlock(superblock, first / perBlock, perBlock);
    const bytes = await read(area.offsetBytes + block * blockBytes, blockBytes);
    if (bytes.length < blockBytes) return null;
    for (let group = first; group < Math.min(first + perBlock, groups); group += 1) {
      const start = (group - first) * descriptorBytes;
      const descriptor = bytes.subarray(start, start + descriptorBytes);
      const read = readGroup(descriptor, superblock);
      const stored = (descriptor[0x1e] ?? 0) | ((descriptor[0x1f] ?? 0) << 8);
      const expected = descriptorChecksum(superblock, group, descriptor, crc);
      const isInside = (block: number, length: number): boolean =>
        block > superblock.firstDataBlock && block + length <= blocks;
      const isSound =
        (expected === null || expected === stored) &&
        isInside(read.blockBitmap, 1) &&
        isInside(read.inodeBitmap, 1) &&
        isInside(read.inodeTable, tableBlocks) &&
        read.unusedInodes <= superblock.inodesPerGroup;
      if (!isSound) return null;
      found.push(read);
    }
  }
  return found;
}

/** With meta_bg, blocks of descriptors lie in the first of the groups that they describe. */
function descriptorBlock(superblock: ExtSuperblock, index: number, perBlock: number): number {
  const { firstMetaGroup, firstDataBlock, blocksPerGroup } = superblock;
  if (firstMetaGroup === null || index < firstMetaGroup) return firstDataBlock + 1 + index;
  const group = index * perBlock;
  return firstDataBlock + group * blocksPerGroup + (hasSuperblockCopy(group, superblock) ? 1 : 0);
}

function readGroup(descriptor: Uint8Array, { checksum, descriptorBytes }: ExtSuperblock): Group {
  const view = new DataView(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength);
  const isWide = descriptorBytes >= 64;
  const block = (low: number, high: number): number =>
    view.getUint32(low, true) + (isWide ? view.getUint32(high, true) * 2 ** 32 : 0);
  const half = (low: number, high: number): number =>
    view.getUint16(low, true) + (isWide ? view.getUint16(high, true) * 2 ** 16 : 0);
  const flags = checksum === "none" ? 0x4 : view.getUint16(0x12, true);
  return {
    blockBitmap: block(0x0, 0x20),
    inodeBitmap: block(0x4, 0x24),
    inodeTable: block(0x8, 0x28),
    blockBitmapChecksum: half(0x18, 0x38),
    unusedInodes: checksum === "none" ? 0 : half(0x1c, 0x32),
    isBlockBitmapMissing: (flags & 0x2) !== 0,
    isTableZeroed: (flags & 0x4) !== 0,
  };
}

/** The blocks of a group that are in use, in bytes of the file system; null: its bitmap is damaged. */
async function usedBlocks(
  read: ReadBytes,
  area: Extent,
  superblock: ExtSuperblock,
  index: number,
  group: Group,
  sum: Crc,
): Promise<Extent[] | null> {
  const { blockBytes, blocksPerGroup, blocks, firstDataBlock, checksum } = superblock;
  const start = firstDataBlock + index * blocksPerGroup;
  const length = Math.min(blocksPerGroup, blocks - start);
  if (group.isBlockBitmapMissing) {
    // what mke2fs lays down at a group's beginning; bitmaps and inode tables are told by the descriptors
    const copy = hasSuperblockCopy(index, superblock) ? 1 + descriptorBlocks(superblock) : 1;
    return [extent(start * blockBytes, Math.min(length, copy + 1) * blockBytes)];
  }
  const bitmap = await read(area.offsetBytes + group.blockBitmap * blockBytes, blockBytes);
  if (bitmap.length < blockBytes) return null;
  if (checksum === "crc32c") {
    const found = sum(superblock.checksumSeed, bitmap.subarray(0, blocksPerGroup / 8));
    const mask = superblock.descriptorBytes >= 64 ? 0xffffffff : 0xffff;
    if ((found & mask) >>> 0 !== group.blockBitmapChecksum) return null;
  }
  const runs: Extent[] = [];
  const isUsed = (block: number): boolean => (((bitmap[block >> 3] ?? 0) >> (block & 7)) & 1) === 1;
  for (let block = 0; block < length; block += 1) {
    if (!isUsed(block)) continue;
    const first = block;
    while (block < length && isUsed(block)) block += 1;
    runs.push(extent((start + first) * blockBytes, (block - first) * blockBytes));
  }
  return runs;
}

function descriptorBlocks({
  groups,
  descriptorBytes,
  blockBytes,
  reservedDescriptorBlocks,
}: ExtSuperblock): number {
  return Math.ceil((groups * descriptorBytes) / blockBytes) + reservedDescriptorBlocks;
}
