import { MiB } from "../../core/units.ts";

/** Bytes of a sector, of an ext4 block, and the boundary on which partitions start: an erase block of common cards. */
export const sectorBytes = 512;
export const blockBytes = 4096;
export const alignmentBytes = 4 * MiB;

/** Where the partitions of an image lie. The MBR and nothing else is before the first. */
export interface DiskLayout {
  readonly bootStartBytes: number;
  readonly bootBytes: number;
  readonly rootStartBytes: number;
  readonly rootBytes: number;
  readonly totalBytes: number;
}

export function diskLayout(bootBytes: number, rootBytes: number): DiskLayout {
  const boot = roundUpTo(bootBytes, alignmentBytes);
  const root = roundUpTo(rootBytes, alignmentBytes);
  const rootStartBytes = alignmentBytes + boot;
  return {
    bootStartBytes: alignmentBytes,
    bootBytes: boot,
    rootStartBytes,
    rootBytes: root,
    totalBytes: rootStartBytes + root,
  };
}

/** Input of sfdisk(8). MBR, because a Pi 3 boots from nothing else; FAT (0x0c) must be the first partition. */
export function sfdiskScript(layout: DiskLayout): string {
  const sectors = (length: number): number => length / sectorBytes;
  return [
    "label: dos",
    "unit: sectors",
    `start=${sectors(layout.bootStartBytes)}, size=${sectors(layout.bootBytes)}, type=c, bootable`,
    `start=${sectors(layout.rootStartBytes)}, size=${sectors(layout.rootBytes)}, type=83`,
    "",
  ].join("\n");
}

export interface TreeSize {
  /** Blocks of `blockBytes` that files, folders and long links take. */
  readonly blocks: number;
  readonly inodes: number;
}

export interface RootGeometry {
  readonly bytes: number;
  readonly inodes: number;
  readonly journalMiB: number;
}

/**
 * How large an ext4 has to be to hold a tree with `marginBytes` to spare: content, 256 bytes an inode,
 * 64 for a name in a folder,
 * the journal, and 3 % for group descriptors, bitmaps, extents and directories.
 */
export function rootGeometry(tree: TreeSize, marginBytes: number): RootGeometry {
  const contentBytes = tree.blocks * blockBytes;
  const journalMiB = 32;
  const inodes = Math.max(
    Math.ceil(tree.inodes * 1.25) + 1024,
    Math.ceil((contentBytes + marginBytes) / (16 * 1024)),
  );
  const overhead = inodes * (256 + 64) + journalMiB * MiB + 8 * MiB;
  return {
    bytes: roundUpTo(contentBytes * 1.03 + marginBytes + overhead, alignmentBytes),
    inodes,
    journalMiB,
  };
}

/** The tree's size of lines `DEVICE:INODE TYPE BYTES ALLOCATED-SECTORS`, as find(1) prints them; hard links count once. */
export function treeSize(lines: Iterable<string>): TreeSize {
  const seen = new Set<string>();
  let blocks = 0;
  for (const line of lines) {
    const [inode, type, bytes, sectors] = line.split(" ");
    if (inode === undefined || bytes === undefined || seen.has(inode)) continue;
    seen.add(inode);
    blocks += blocksOf(type ?? "", Number(bytes), Number(sectors));
  }
  return { blocks, inodes: seen.size };
}

function blocksOf(type: string, length: number, sectors: number): number {
  switch (type) {
    case "f": {
      const whole = Math.ceil(length / blockBytes);
      // what a compressing file system allocates says nothing; a hole of half a file does
      const allocated = Math.ceil((sectors * 512) / blockBytes);
      return length > MiB && allocated < whole / 2 && allocated > 0
        ? Math.max(allocated, Math.ceil(whole / 64))
        : whole;
    }
    case "d":
      // how long a folder is here says how this file system keeps folders, and how full it was before
      return 1;
    case "l":
      return length >= 60 ? 1 : 0;
    default:
      return 0;
  }
}

function roundUpTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** mke2fs.conf(5) of berry's own, so that every host makes the same file system. */
export const mke2fsConf = `[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	default_mntopts = acl,user_xattr
	enable_periodic_fsck = 0
	blocksize = ${blockBytes}
	inode_size = 256
	inode_ratio = 16384
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,metadata_csum_seed,64bit,dir_nlink,extra_isize
	}
`;
