import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText, type ClusterText } from "../fixtures/cluster-text.ts";

const patience = 120_000;
const signal = () => AbortSignal.timeout(patience);

let bakery: Bakery;

beforeAll(async () => {
  bakery = await openBakery(await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000)), signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  await bakery.write("other-password", "Batterie-8\n", 0o600);
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

/** The layers and nodes of which steps ran, in order. */
function baked({ events }: BakeRun): string[] {
  return [...new Set(events.flatMap((event) => (event.event === "started" ? [event.layer] : [])))];
}

function cached({ events }: BakeRun): string[] {
  return events.flatMap((event) => (event.event === "cached" ? [event.layer] : []));
}

async function bake(cluster: ClusterText, words: readonly string[] = []): Promise<BakeRun> {
  await bakery.write("berry.toml", clusterText(cluster));
  const run = await bakery.bake(words);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  return run;
}

const text = async (node: string, path: string) =>
  (await openImage(join(bakery.folder, "images", `${node}.img`), signal())).text(path);

const one: ClusterText = { image: 'packages = ["vim"]' };

describe("a cache", () => {
  test(
    "spares the second bake all but the node's own steps, and the images are written all the same",
    async () => {
      const first = await bake(one);
      expect(baked(first)).toEqual(["rootfs", "system", "packages", "image", "pi1"]);
      await rm(join(bakery.folder, "images/pi1.img"));
      const requests = bakery.server.requests.length;
      const second = await bake(one);
      expect(baked(second)).toEqual(["pi1"]);
      expect(cached(second)).toEqual(["rootfs", "system", "packages", "image"]);
      expect(bakery.server.requests.length).toBe(requests);
      const image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
      expect(await image.complaints()).toEqual([]);
      expect(await image.text("/etc/hostname")).toBe("pi1\n");
    },
    patience,
  );

  test(
    "knows another name, another password and one more node for what they are: matters of a node",
    async () => {
      const run = await bake({
        ...one,
        user: 'name = "chaney"\npassword_file = "other-password"',
        nodes: ['name = "berry1"', 'name = "berry2"'],
      });
      expect(baked(run).toSorted()).toEqual(["berry1", "berry2"]);
      expect(await text("berry2", "/etc/hostname")).toBe("berry2\n");
    },
    patience,
  );

  test(
    "bakes only the nodes that are named",
    async () => {
      await rm(join(bakery.folder, "images"), { recursive: true });
      const run = await bake({ ...one, nodes: ['name = "berry1"', 'name = "berry2"'] }, ["berry2"]);
      expect(baked(run)).toEqual(["berry2"]);
      const names = await readdir(join(bakery.folder, "images"));
      expect(names.filter((name) => name.includes(".img"))).toEqual(["berry2.img"]);
    },
    patience,
  );

  test(
    "makes only packages and image anew for one more package",
    async () => {
      const run = await bake({ image: 'packages = ["vim", "htop"]' });
      expect(baked(run)).toEqual(["packages", "image", "pi1"]);
      expect(cached(run)).toEqual(["rootfs", "system"]);
      expect(await text("pi1", "/usr/bin/htop")).toContain("htop of the test");
    },
    patience,
  );

  test(
    "keeps what nodes share once, and bakes what they do not share for each",
    async () => {
      const run = await bake({
        image: 'packages = ["vim"]',
        nodes: ['name = "pi1"', 'name = "pi2"\nimage = { packages = ["vim", "iw"] }'],
      });
      expect(baked(run).toSorted()).toEqual(["image", "packages", "pi1", "pi2"]);
      expect(await text("pi1", "/usr/bin/vim")).toContain("vim of the test");
    },
    patience,
  );

  test(
    "is made anew by --refresh, and nothing that stood upon the old layers is trusted afterwards",
    async () => {
      const refreshed = await bake(one, ["--refresh"]);
      expect(baked(refreshed)).toEqual(["rootfs", "system", "packages", "image", "pi1"]);
      // its own packages and image layers are in the cache still, but were made upon another system
      const other = await bake({ image: 'packages = ["vim", "htop"]' });
      expect(baked(other)).toEqual(["packages", "image", "pi1"]);
      expect(baked(await bake(one))).toEqual(["pi1"]);
    },
    patience,
  );

  test.each(["disk.img", "tree"])(
    "that lost %s of a layer makes that layer anew",
    async (part) => {
      await bake(one);
      const layers = join(bakery.cache, "layers");
      for (const name of await readdir(layers))
        if (name.startsWith("image-")) await bakery.remove(join(layers, name, part));
      expect(baked(await bake(one))).toEqual(["image", "pi1"]);
    },
    patience,
  );

  test(
    "that lost its lowest layer makes all anew",
    async () => {
      const layers = join(bakery.cache, "layers");
      for (const name of await readdir(layers))
        if (name.startsWith("rootfs-")) await bakery.remove(join(layers, name));
      expect(baked(await bake(one))).toEqual(["rootfs", "system", "packages", "image", "pi1"]);
    },
    patience,
  );

  test(
    "asks another mirror when berry.toml names one, and so does the Pi later on",
    async () => {
      const run = await bake({ image: `mirror = "${bakery.server.url}/"` });
      expect(cached(run)).toEqual(["rootfs"]);
      expect(await text("pi1", "/etc/pacman.d/mirrorlist")).toBe(
        `Server = ${bakery.server.url}/$arch/$repo\n`,
      );
    },
    patience,
  );
});
