import { afterAll, beforeAll, expect, test } from "bun:test";
import { chown, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { MiB, GiB } from "../../src/core/units.ts";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { openSharingDisk, type SharingDisk } from "../fixtures/sharing-disk.ts";

const patience = 180_000;
const signal = () => AbortSignal.timeout(patience);
const isRoot = process.getuid?.() === 0;
const names = Array.from({ length: 20 }, (_, index) => `pi${index + 1}`);
const nodes = names.map((name) => `name = "${name}"`);

let bakery: Bakery;
let disk: SharingDisk;

beforeAll(async () => {
  if (!isRoot) return;
  bakery = await openBakery(await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000)), signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  // too small for twenty images of which none shares anything
  disk = await openSharingDisk(8 * GiB, AbortSignal.timeout(900_000));
  await chown(disk.path, bakery.user.userId, bakery.user.groupId);
}, 700_000);

afterAll(async () => {
  if (disk !== undefined) await bakery.remove(join(disk.path, "cache"));
  await disk?.[Symbol.asyncDispose]();
  await bakery?.[Symbol.asyncDispose]();
}, patience);

async function bake(output: string, words: readonly string[]): Promise<BakeRun> {
  await bakery.write("berry.toml", clusterText({ image: `output = ${JSON.stringify(output)}`, nodes }));
  const run = await bakery.bake(words, { cache: join(disk.path, "cache") });
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  return run;
}

test.skipIf(!isRoot)(
  "where files share blocks, nineteen nodes more take at most 16 MiB each, and are whole images",
  async () => {
    const output = join(disk.path, "images");
    await bake(output, ["pi1"]);
    const before = await disk.usedBytes();
    const run = await bake(output, names.slice(1));
    const layers = new Set(run.events.flatMap((event) => (event.event === "started" ? [event.layer] : [])));
    expect([...layers].toSorted()).toEqual(names.slice(1).toSorted());
    const perNode = ((await disk.usedBytes()) - before) / 19;
    expect(perNode).toBeLessThan(16 * MiB);
    const { blocks } = await stat(join(output, "pi20.img"));
    expect(blocks * 512).toBeGreaterThan(16 * MiB);
    const image = await openImage(join(output, "pi20.img"), signal());
    expect(await image.text("/etc/hostname")).toBe("pi20\n");
    expect(await image.complaints()).toEqual([]);
    // what shares blocks stays what it is when another one is written
    const first = await openImage(join(output, "pi1.img"), signal());
    expect(await first.text("/etc/hostname")).toBe("pi1\n");
    expect(await first.complaints()).toEqual([]);
  },
  patience,
);

test.skipIf(!isRoot)(
  "the cache and the images may lie on different file systems",
  async () => {
    const output = join(bakery.folder, "elsewhere");
    expect((await stat(bakery.folder)).dev).not.toBe((await stat(disk.path)).dev);
    await bake(output, ["pi3"]);
    const image = await openImage(join(output, "pi3.img"), signal());
    expect(await image.text("/etc/hostname")).toBe("pi3\n");
    expect(await image.complaints()).toEqual([]);
    await rm(output, { recursive: true });
  },
  patience,
);
