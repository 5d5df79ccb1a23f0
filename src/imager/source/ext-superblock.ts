import { crc32c, createCrc, type Crc } from "./crc.ts";

/** Of an ext2, ext3 or ext4 (kernel: Documentation/filesystems/ext4); byte 1024 of the file system. */
export interface ExtSuperblock {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly groups: number;
  readonly inodesPerGroup: number;
  readonly inodeBytes: number;
  readonly descriptorBytes: number;
  readonly reservedDescriptorBlocks: number;
  /** Number of the first block of descriptors that lies in its own group; null: all follow the superblock. */
  readonly firstMetaGroup: number | null;
  /** Which groups begin with copies of the superblock and of the descriptors: all, powers of 3, 5 and 7, or these. */
  readonly copies: "all" | "sparse" | readonly number[];
  /** What guards the group descriptors: without a sum their flags mean nothing. */
  readonly checksum: "none" | "crc16" | "crc32c";
  readonly uuid: Uint8Array;
  readonly checksumSeed: number;
}

export const superblockOffset = 1024;
export const superblockBytes = 1024;

const metaBg = 0x10;
const bits64 = 0x80;
const seedInSuperblock = 0x2000;
// what changes neither where blocks are counted nor what a block stands for: filetype, extents, meta_bg, 64bit,
// mmp, flex_bg, ea_inode, dirdata, seed, largedir, inline_data, encrypt, casefold. Left out with intent: recover
// (the journal knows better than the bitmaps) and journal_dev
const understoodIncompatible =
  0x2 | 0x40 | metaBg | bits64 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x3c000;
const sparseSuper = 0x1;
const gdtChecksum = 0x10;
const metadataChecksum = 0x400;
// sparse_super, large_file, huge_file, gdt_csum, dir_nlink, extra_isize, quota, metadata_csum, readonly, project,
// verity, orphan_present; bigalloc counts clusters, and blocks of shared_blocks are not in the bitmaps alone
const understoodReadOnly =
  sparseSuper |
  0x2 |
  0x4 |
  0x8 |
  gdtChecksum |
  0x20 |
  0x40 |
  0x100 |
  metadataChecksum |
  0x1000 |
  0x2000 |
  0x18000;
const sparseSuper2 = 0x200;

export function hasExtMagic(superblock: Uint8Array): boolean {
  return superblock.length === superblockBytes && superblock[0x38] === 0x53 && superblock[0x39] === 0xef;
}

/** @returns null where it is damaged, was not unmounted cleanly, or has features that change what is in use */
export function readExtSuperblock(bytes: Uint8Array, areaBytes: number): ExtSuperblock | null {
  if (!hasExtMagic(bytes)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (offset: number): number => view.getUint16(offset, true);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const isDynamic = u32(0x4c) >= 1;
  const compatible = isDynamic ? u32(0x5c) : 0;
  const incompatible = isDynamic ? u32(0x60) : 0;
  const readOnly = isDynamic ? u32(0x64) : 0;
  const isClean = (u16(0x3a) & 0x3) === 1;
  if (!isClean || (incompatible & ~understoodIncompatible) !== 0 || (readOnly & ~understoodReadOnly) !== 0)
    return null;
  const hasMetadataChecksum = (readOnly & metadataChecksum) !== 0;
  const crc = createCrc(crc32c);
  if (hasMetadataChecksum && crc(0xffffffff, bytes.subarray(0, 0x3fc)) !== u32(0x3fc)) return null;

  const blockBytes = u32(0x18) <= 6 ? 1024 << u32(0x18) : 0;
  const is64Bit = (incompatible & bits64) !== 0;
  const blocks = u32(0x4) + (is64Bit ? u32(0x150) * 2 ** 32 : 0);
  const firstDataBlock = u32(0x14);
  const blocksPerGroup = u32(0x20);
  const inodesPerGroup = u32(0x28);
  const inodeBytes = isDynamic ? u16(0x58) : 128;
  const descriptorBytes = is64Bit ? u16(0xfe) : 32;
  const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup);
  const isSound =
    blockBytes > 0 &&
    blocks * blockBytes <= areaBytes &&
    firstDataBlock === (blockBytes === 1024 ? 1 : 0) &&
    blocks > firstDataBlock &&
    blocksPerGroup >= 8 &&
    blocksPerGroup <= 8 * blockBytes &&
    u32(0x24) === blocksPerGroup &&
    inodesPerGroup > 0 &&
    inodesPerGroup <= 8 * blockBytes &&
    inodeBytes >= 128 &&
    inodeBytes <= blockBytes &&
    inodesPerGroup * groups === u32(0) &&
    (is64Bit ? [64, 128, 256, 512, 1024].includes(descriptorBytes) : true);
  if (!isSound) return null;
  const uuid = bytes.slice(0x68, 0x78);
  return {
    blockBytes,
    blocks,
    firstDataBlock,
    blocksPerGroup,
    groups,
    inodesPerGroup,
    inodeBytes,
    descriptorBytes,
    reservedDescriptorBlocks: u16(0xce),
    firstMetaGroup: (incompatible & metaBg) === 0 ? null : u32(0x104),
    copies:
      (compatible & sparseSuper2) !== 0
        ? [u32(0x24c), u32(0x250)]
        : (readOnly & sparseSuper) === 0
          ? "all"
          : "sparse",
    checksum: hasMetadataChecksum ? "crc32c" : (readOnly & gdtChecksum) === 0 ? "none" : "crc16",
    uuid,
    checksumSeed: (incompatible & seedInSuperblock) === 0 ? crc(0xffffffff, uuid) : u32(0x270),
  };
}

/** Whether a group begins with a copy of the superblock and of the descriptors. */
export function hasSuperblockCopy(group: number, { copies }: ExtSuperblock): boolean {
  if (group === 0 || copies === "all") return true;
  if (copies !== "sparse") return copies.includes(group);
  return group === 1 || [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

/** The sum that a group's descriptor has to carry at byte 0x1e; null: there are none. */
export function descriptorChecksum(
  superblock: ExtSuperblock,
  group: number,
  descriptor: Uint8Array,
  crc: Crc,
): number | null {
  const { checksum, uuid, checksumSeed } = superblock;
  const number = new Uint8Array(Uint32Array.of(group).buffer);
  const before = descriptor.subarray(0, 0x1e);
  const after = descriptor.subarray(0x20);
  switch (checksum) {
    case "none":
      return null;
    case "crc16":
      return crc(crc(crc(crc(0xffff, uuid), number), before), after);
    case "crc32c":
      return crc(crc(crc(crc(checksumSeed, number), before), new Uint8Array(2)), after) & 0xffff;
  }
}
