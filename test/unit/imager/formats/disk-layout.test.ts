import { describe, expect, test } from "bun:test";
import { GiB, KiB, MiB } from "../../../../src/core/units.ts";
import {
  alignmentBytes,
  blockBytes,
  diskLayout,
  rootGeometry,
  sectorBytes,
  sfdiskScript,
  treeSize,
} from "../../../../src/imager/formats/disk-layout.ts";

describe("the layout of an image", () => {
  test("starts each partition on an erase block, one after the other", () => {
    const layout = diskLayout(512 * MiB + 1, 1 * GiB + 1);
    expect(layout.bootStartBytes).toBe(4 * MiB);
    expect(layout.bootBytes).toBe(516 * MiB);
    expect(layout.rootStartBytes).toBe(520 * MiB);
    expect(layout.rootBytes).toBe(1 * GiB + 4 * MiB);
    expect(layout.totalBytes).toBe(layout.rootStartBytes + layout.rootBytes);
    for (const bytes of Object.values(layout)) expect(bytes % alignmentBytes).toBe(0);
  });
  test("adds nothing to what is aligned", () => {
    expect(diskLayout(512 * MiB, 1 * GiB)).toMatchObject({ bootBytes: 512 * MiB, rootBytes: 1 * GiB });
  });
  test("finds the root partition without knowing its size", () => {
    expect(diskLayout(512 * MiB, 0).rootStartBytes).toBe(diskLayout(512 * MiB, 7 * GiB).rootStartBytes);
  });
  test("is an MBR with FAT first, in sectors, for sfdisk", () => {
    expect(sfdiskScript(diskLayout(512 * MiB, 1 * GiB))).toBe(
      "label: dos\nunit: sectors\nstart=8192, size=1048576, type=c, bootable\nstart=1056768, size=2097152, type=83\n",
    );
    expect(sectorBytes).toBe(512);
  });
});

describe("the size of a tree", () => {
  const blocksOf = (...lines: string[]): number => treeSize(lines).blocks;
  test("rounds every file up to whole blocks", () => {
    expect(treeSize(["1:1 f 0 0", "1:2 f 1 8", "1:3 f 4096 8", "1:4 f 4097 16"])).toEqual({
      blocks: 4,
      inodes: 4,
    });
  });
  test("counts hard links once, and equal numbers of another device apart", () => {
    expect(treeSize(["1:1 f 4096 8", "1:1 f 4096 8", "2:1 f 4096 8"])).toEqual({ blocks: 2, inodes: 2 });
  });
  test("gives every folder a block, whatever this file system makes of it", () => {
    expect(blocksOf("1:1 d 40 0", "1:2 d 8192 16")).toBe(2);
  });
  test("keeps short links in their inodes", () => {
    expect(treeSize(["1:1 l 59 0", "1:2 l 60 8"])).toEqual({ blocks: 1, inodes: 2 });
  });
  test("does not count holes", () => {
    expect(blocksOf(`1:1 f ${GiB} ${MiB / 512}`)).toBe(GiB / blockBytes / 64);
    expect(blocksOf(`1:1 f ${GiB} ${GiB / 4 / 512}`)).toBe(GiB / 4 / blockBytes);
  });
  test("does not believe in what a file system compressed", () => {
    expect(blocksOf(`1:1 f ${64 * KiB} 8`)).toBe(16);
    expect(blocksOf(`1:1 f ${10 * MiB} ${(6 * MiB) / 512}`)).toBe((10 * MiB) / blockBytes);
    expect(blocksOf(`1:1 f ${10 * MiB} 0`)).toBe((10 * MiB) / blockBytes);
  });
  test("passes over what is no line of find, and over devices", () => {
    expect(treeSize(["", "garbage", "1:9 c 0 0"])).toEqual({ blocks: 0, inodes: 1 });
  });
});

describe("the geometry of the root file system", () => {
  test("has room for the content, its inodes, the journal and the margin", () => {
    const tree = { blocks: 400_000, inodes: 40_000 };
    const { bytes, inodes, journalMiB } = rootGeometry(tree, 256 * MiB);
    expect(bytes).toBeGreaterThan(tree.blocks * blockBytes + 256 * MiB + inodes * 256 + journalMiB * MiB);
    expect(bytes % alignmentBytes).toBe(0);
    expect(inodes).toBeGreaterThan(tree.inodes);
  });
  test("grows with the margin by the margin", () => {
    const tree = { blocks: 400_000, inodes: 400_000 };
    expect(rootGeometry(tree, 512 * MiB).bytes - rootGeometry(tree, 256 * MiB).bytes).toBe(256 * MiB);
  });
  test("has inodes for what fills the margin later", () => {
    expect(rootGeometry({ blocks: 1, inodes: 1 }, 16 * GiB).inodes).toBeGreaterThanOrEqual(GiB / KiB);
  });
});
