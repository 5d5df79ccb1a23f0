import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { mustRun } from "../fixtures/run.ts";
import { compareTrees } from "../fixtures/tree-entry.ts";

const signal = () => AbortSignal.timeout(120_000);
const garbage = 0xa5;

let bakery: Bakery;
let image: string;
/** What a card holds that was full of garbage, after the image's mapped blocks were written to it. */
let card: string;

beforeAll(async () => {
  const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", "Korrekt-Pferd-Batterie-7\n", 0o600);
  await bakery.write("berry.toml", clusterText({}));
  const run = await bakery.bake([]);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  image = join(bakery.folder, "images/pi1.img");
  card = join(bakery.folder, "card");
  await writeMapped(image, card);
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

async function writeMapped(from: string, to: string): Promise<void> {
  await using source = await open(from, "r");
  await using target = await open(to, "w");
  const { size } = await source.stat();
  const chunk = new Uint8Array(4 * 1024 * 1024);
  for (let at = 0; at < size; at += chunk.length)
    await target.write(chunk.fill(garbage), 0, Math.min(chunk.length, size - at), at);
  for (const [start, end] of mappedExtents(source.fd, size)) {
    for (let at = start; at < end;) {
      const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, end - at), at);
      await target.write(chunk, 0, bytesRead, at);
      at += bytesRead;
    }
  }
}

/** By lseek(2), as writers of sparse images find them. */
function mappedExtents(fd: number, size: number): (readonly [start: number, end: number])[] {
  const [seekData, seekHole] = [3, 4];
  const libc = dlopen("libc.so.6", { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  try {
    const extents: (readonly [number, number])[] = [];
    for (let at = 0; at < size;) {
      const start = Number(libc.symbols.lseek(fd, at, seekData));
      if (start < 0) break;
      at = Number(libc.symbols.lseek(fd, start, seekHole));
      extents.push([start, at]);
    }
    return extents;
  } finally {
    libc.close();
  }
}

describe("a card that was full of garbage, with an image's mapped blocks on it", () => {
  test("has garbage left, or this would prove nothing", async () => {
    const { partitions } = await openImage(image, signal());
    await using file = await open(card, "r");
    const { size } = await file.stat();
    const root = partitions.at(-1)?.startBytes ?? size;
    const [block, wanted] = [new Uint8Array(1024 * 1024), new Uint8Array(1024 * 1024).fill(garbage)];
    let left = 0;
    for (let at = root; at < size; at += block.length) {
      await file.read(block, 0, block.length, at);
      if (Buffer.compare(block, wanted) === 0) left += block.length;
    }
    expect(left).toBeGreaterThan(64 * 1024 * 1024);
  });

  test("has two clean file systems", async () => {
    expect(await (await openImage(card, signal())).complaints()).toEqual([]);
  });

  test("has a journal without anything to replay", async () => {
    const { partitions } = await openImage(card, signal());
    const journal = join(bakery.folder, "journal");
    const device = `${card}?offset=${partitions[1]?.startBytes}`;
    await mustRun(["debugfs", "-R", `dump <8> ${journal}`, device], {}, signal());
    const bytes = new Uint8Array(await Bun.file(journal).arrayBuffer());
    expect(bytes.length).toBe(32 * 1024 * 1024);
    // the magic number of every block that JBD2 writes
    expect([...bytes.subarray(0, 4)]).toEqual([0xc0, 0x3b, 0x39, 0x98]);
    expect(bytes.subarray(4096).every((byte) => byte === 0)).toBe(true);
  });

  test("has the image's files", async () => {
    const [expected, found] = [await openImage(image, signal()), await openImage(card, signal())];
    expect(compareTrees(await expected.root(), await found.root())).toEqual([]);
    for (const { path, partitions } of [expected, found]) {
      const folder = `${path}.boot-files`;
      await mkdir(folder);
      const drive = `${path}@@${partitions[0]?.startBytes}`;
      await mustRun(["mcopy", "-i", drive, "-s", "-Q", "-n", "::/", folder], {}, signal());
    }
    await mustRun(["diff", "-r", `${image}.boot-files`, `${card}.boot-files`], {}, signal());
  });
});
