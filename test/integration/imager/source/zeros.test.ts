import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { open, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lengthOf, type Extent, type ImageMap } from "../../../../src/imager/source/image-map.ts";
import { difference, union } from "../../../../src/imager/source/extents.ts";
import { imageUsage } from "../../../../src/imager/source/usage.ts";
import { openImage } from "../../../../src/imager/source/open-image.ts";
import { mustRun } from "../../../fixtures/run.ts";
import {
  cutOut,
  everyExtent,
  exampleTree,
  isSoundExt,
  isSoundFat,
  makeSparse,
  temporaryFolder,
  writeOver,
} from "../../../fixtures/written-card.ts";

const signal = new AbortController().signal;
const MiB = 1024 * 1024;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let tree = "";
let counter = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  tree = await exampleTree(folder.path);
});
afterAll(async () => await folder[Symbol.asyncDispose]());

async function blank(sizeBytes: number): Promise<string> {
  counter += 1;
  const image = join(folder.path, `${counter}.img`);
  await writeFile(image, "");
  await truncate(image, sizeBytes);
  return image;
}

/**
 * A file system of the tree in which the blocks of the file `zeros` hold zeros: mke2fs would leave such blocks out,
 * so that the file has other bytes first.
 */
async function makeExt(sizeBytes: number, argv: readonly string[]): Promise<string> {
  const image = await blank(sizeBytes);
  const full = `${image}.tree`;
  await mustRun(["cp", "-r", tree, full], {}, signal);
  await writeFile(join(full, "zeros"), new Uint8Array(MiB / 4).fill(1));
  await mustRun(["mke2fs", "-q", "-F", "-d", full, ...argv, image], {}, signal);
  const blocks = (await mustRun(["debugfs", "-R", "blocks zeros", image], {}, signal)).trim().split(" ");
  const block = await blockBytes(image);
  // the last of ext2's list may be one that tells where the others are
  const file = await open(image, "r+");
  for (const number of blocks) {
    const bytes = new Uint8Array(block);
    await file.read(bytes, 0, block, Number(number) * block);
    if (bytes.every((byte) => byte === 1))
      await file.write(new Uint8Array(block), 0, block, Number(number) * block);
  }
  await file.close();
  await makeSparse(image, signal);
  return image;
}

async function blockBytes(image: string): Promise<number> {
  return Number(/^Block size:\s+(\d+)/m.exec(await mustRun(["dumpe2fs", "-h", image], {}, signal))?.[1]);
}

async function mapOf(image: string): Promise<ImageMap> {
  await using opened = await openImage(image, { bmap: null }, signal);
  return opened.map;
}

/** What the image looks like on a card that was in use before. */
async function cardOf(image: string, extents: readonly Extent[]): Promise<string> {
  const { sizeBytes } = await mapOf(image);
  const card = `${image}.card`;
  await writeOver(image, extents, sizeBytes, card);
  return card;
}

const kinds: readonly (readonly [name: string, sizeMiB: number, argv: readonly string[]])[] = [
  ["ext4 as mke2fs makes it", 64, ["-t", "ext4"]],
  ["ext4 of 4 KiB blocks in many groups", 200, ["-t", "ext4", "-b", "4096", "-g", "2048"]],
  ["ext4 of 1 KiB blocks", 64, ["-t", "ext4", "-b", "1024"]],
  ["ext4 with wide descriptors and a checksum seed", 64, ["-t", "ext4", "-O", "64bit,metadata_csum_seed"]],
  ["ext4 that zeroes its inode tables later", 200, ["-t", "ext4", "-E", "lazy_itable_init=1"]],
  ["ext4 with all inode tables zeroed", 64, ["-t", "ext4", "-E", "lazy_itable_init=0"]],
  [
    "ext4 whose descriptors have a crc16",
    200,
    ["-t", "ext4", "-O", "^metadata_csum,uninit_bg", "-g", "8192"],
  ],
  ["ext4 with meta_bg", 200, ["-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"]],
  ["ext4 with two copies of the superblock", 100, ["-t", "ext4", "-O", "sparse_super2", "-b", "1024"]],
  ["ext3", 64, ["-t", "ext3"]],
  ["ext2", 64, ["-t", "ext2"]],
  ["ext2 without sparse_super", 64, ["-t", "ext2", "-O", "^sparse_super,^resize_inode"]],
];

describe.each(kinds)("%s", (_, sizeMiB, argv) => {
  test("is whole on a used card, of which most of the free space is left alone", async () => {
    const image = await makeExt(sizeMiB * MiB, argv);
    const map = await mapOf(image);
    const card = await cardOf(image, everyExtent(map));
    expect(await isSoundExt(card, tree, signal)).toBeTrue();
    const free = await freeExtents(image);
    expect(lengthOf(map.zeros)).toBeLessThan(map.sizeBytes - lengthOf(free));
    const touched = union(everyExtent(map));
    const untouched = difference([{ offsetBytes: 0, lengthBytes: map.sizeBytes }], touched);
    expect(lengthOf(untouched)).toBeGreaterThan(lengthOf(free) / 2);
    // what is neither called free nor an inode table is there to the byte
    const used = difference(
      [{ offsetBytes: 0, lengthBytes: map.sizeBytes }],
      union([...free, ...(await inodeTables(image))]),
    );
    expect(lengthOf(difference(used, touched))).toBe(0);
  });

  test("is damaged where its zeros are left out", async () => {
    const image = await makeExt(sizeMiB * MiB, argv);
    const map = await mapOf(image);
    expect(await isSoundExt(await cardOf(image, map.data), tree, signal)).toBeFalse();
  });
});

/** As dumpe2fs tells it, which shares no code with berry. */
async function freeExtents(image: string): Promise<Extent[]> {
  const text = await mustRun(["dumpe2fs", image], {}, signal);
  const block = await blockBytes(image);
  const found = [...text.matchAll(/^ {2}Free blocks: (.*)$/gm)].flatMap(([, ranges = ""]) =>
    ranges
      .split(", ")
      .filter((range) => range !== "")
      .map((range) => {
        const [first = 0, last = first] = range.split("-").map(Number);
        return { offsetBytes: first * block, lengthBytes: (last - first + 1) * block };
      }),
  );
  return union(found);
}

async function inodeTables(image: string): Promise<Extent[]> {
  const text = await mustRun(["dumpe2fs", image], {}, signal);
  const block = await blockBytes(image);
  return [...text.matchAll(/Inode table at (\d+)-(\d+)/g)].map(([, first, last]) => ({
    offsetBytes: Number(first) * block,
    lengthBytes: (Number(last) - Number(first) + 1) * block,
  }));
}

describe.each([
  ["FAT12", 8, ["-F", "12"]],
  ["FAT16", 32, ["-F", "16"]],
  ["FAT32", 80, ["-F", "32", "-s", "1"]],
  ["FAT32 of sectors of 4 KiB", 400, ["-F", "32", "-S", "4096", "-s", "1"]],
  ["FAT16 behind a boot record that it pretends to have", 32, ["-F", "16", "--mbr=y"]],
] as const)("%s", (_, sizeMiB, argv) => {
  async function make(): Promise<string> {
    const image = await blank(sizeMiB * MiB);
    await mustRun(["mkfs.vfat", ...argv, image], {}, signal);
    const files = (await readdir(tree)).map((name) => join(tree, name));
    await mustRun(["mcopy", "-s", "-i", image, ...files, "::"], {}, signal);
    await makeSparse(image, signal);
    return image;
  }

  test("is whole on a used card, of which most of the free space is left alone", async () => {
    const image = await make();
    const map = await mapOf(image);
    expect(await isSoundFat(await cardOf(image, everyExtent(map)), tree, signal)).toBeTrue();
    expect(lengthOf(everyExtent(map))).toBeLessThan(map.sizeBytes / 2);
    expect(map.partitions).toEqual([{ offsetBytes: 0, lengthBytes: sizeMiB * MiB }]);
  });

  test("is damaged where its zeros are left out", async () => {
    const image = await make();
    const map = await mapOf(image);
    expect(await isSoundFat(await cardOf(image, map.data), tree, signal)).toBeFalse();
  });
});

describe.each([
  [
    "an MBR",
    "label: dos\nunit: sectors\nstart=8192, size=65536, type=c\nstart=73728, size=131072, type=83\n",
    2,
  ],
  [
    "an MBR with logical partitions",
    "label: dos\nunit: sectors\nstart=8192, size=65536, type=c\nstart=73728, type=5\nstart=75776, size=131072, type=83\nstart=208896, size=20480, type=82\n",
    3,
  ],
  [
    "a GPT",
    "label: gpt\nunit: sectors\nstart=8192, size=65536, type=U\nstart=73728, size=131072, type=L\n",
    2,
  ],
] as const)("an image with %s", (_, script, count) => {
  test("gives back both file systems and the same table from a used card", async () => {
    const image = await blank(128 * MiB);
    await mustRun(["sfdisk", "-q", image], { stdin: script }, signal);
    const partitions = (await mapOf(image)).partitions;
    expect(partitions.length).toBe(count);
    const [boot, root] = partitions;
    if (boot === undefined || root === undefined) throw new Error("two partitions were made");
    await mustRun(
      ["mkfs.vfat", "-F", "16", `--offset=${boot.offsetBytes / 512}`, image, String(boot.lengthBytes / 1024)],
      {},
      signal,
    );
    const files = (await readdir(tree)).map((name) => join(tree, name));
    await mustRun(["mcopy", "-s", "-i", `${image}@@${boot.offsetBytes}`, ...files, "::"], {}, signal);
    await mustRun(
      [
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-d",
        tree,
        "-E",
        `offset=${root.offsetBytes}`,
        image,
        `${root.lengthBytes / 1024}k`,
      ],
      {},
      signal,
    );
    await makeSparse(image, signal);
    const map = await mapOf(image);
    const card = await cardOf(image, everyExtent(map));
    await cutOut(card, boot, `${image}.boot`);
    await cutOut(card, root, `${image}.root`);
    expect(await isSoundFat(`${image}.boot`, tree, signal)).toBeTrue();
    expect(await isSoundExt(`${image}.root`, tree, signal)).toBeTrue();
    const tableOf = async (file: string): Promise<string> =>
      (await mustRun(["sfdisk", "--dump", file], {}, signal)).replaceAll(file, "");
    expect(await tableOf(card)).toBe(await tableOf(image));
    expect(lengthOf(everyExtent(map))).toBeLessThan(map.sizeBytes / 2);
  });
});

test("every hole of a file system that berry does not know is zeros: btrfs", async () => {
  const image = await blank(160 * MiB);
  await mustRun(["mkfs.btrfs", "-q", image], {}, signal);
  await makeSparse(image, signal);
  const map = await mapOf(image);
  expect(lengthOf(everyExtent(map))).toBe(map.sizeBytes);
  const card = await cardOf(image, everyExtent(map));
  expect(Buffer.compare(await readFile(card), await readFile(image))).toBe(0);
});

test("an ext4 whose journal has still to be replayed is written whole", async () => {
  const image = await blank(64 * MiB);
  await mustRun(["mke2fs", "-q", "-F", "-t", "ext4", image], {}, signal);
  await mustRun(["debugfs", "-w", "-R", "feature needs_recovery", image], {}, signal);
  await makeSparse(image, signal);
  const map = await mapOf(image);
  expect(lengthOf(everyExtent(map))).toBe(map.sizeBytes);
});

test("damage to what ext4 guards with sums makes berry write more, never less", async () => {
  const image = await makeExt(24 * MiB, ["-t", "ext4", "-b", "1024", "-O", "metadata_csum,64bit"]);
  const whole = new Uint8Array(await readFile(image));
  const everything = [{ offsetBytes: 0, lengthBytes: whole.length }];
  const usageOf = async (bytes: Uint8Array): Promise<readonly Extent[]> =>
    (await imageUsage(async (at, length) => bytes.slice(at, at + length), bytes.length, everything)).zeros;
  const needed = await usageOf(whole);
  expect(lengthOf(needed)).toBeLessThan(whole.length);
  const text = await mustRun(["dumpe2fs", image], {}, signal);
  const bitmaps = [...text.matchAll(/Block bitmap at (\d+)/g)].map(([, block]) => Number(block) * 1024);
  expect(bitmaps.length).toBe(3);
  const guarded = [
    { at: 1024, length: 1024 },
    { at: 2048, length: bitmaps.length * 64 },
    ...bitmaps.map((at) => ({ at, length: 1024 })),
  ];
  for (const { at, length } of guarded) {
    for (let offset = at; offset < at + length; offset += length === 1024 ? 5 : 1) {
      const before = whole[offset] ?? 0;
      whole[offset] = before ^ (1 << (offset % 8));
      expect(difference(needed, [...(await usageOf(whole))])).toEqual([]);
      whole[offset] = before;
    }
  }
});
