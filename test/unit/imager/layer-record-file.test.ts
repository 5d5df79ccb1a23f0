import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { intactLayers, recordLayer } from "../../../src/imager/layer-record-file.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-layers-"));
  await publish("rootfs-1", []);
  await publish("system-2", ["rootfs-1"]);
  await publish("image-3", ["system-2", "rootfs-1"], ["disk.img"]);
});

afterEach(() => rm(folder, { recursive: true }));

/** As the bake does: made elsewhere, recorded, renamed over what has the name. */
async function publish(name: string, below: readonly string[], files: readonly string[] = []): Promise<void> {
  const work = join(folder, "..", `work-${crypto.randomUUID()}`);
  await mkdir(join(work, "tree"), { recursive: true });
  for (const file of files) await writeFile(join(work, file), "");
  await recordLayer(
    work,
    below.map((layer) => join(folder, layer, "tree")),
  );
  await rm(join(folder, name), { recursive: true, force: true });
  await rename(work, join(folder, name));
}

const intact = async () => (await intactLayers(folder)).toSorted();

describe("a layer is intact", () => {
  test("as long as it and those below it are what they were", async () => {
    expect(await intact()).toEqual(["image-3", "rootfs-1", "system-2"]);
  });

  test("not when one below was made anew, until it is made anew itself", async () => {
    await publish("rootfs-1", []);
    expect(await intact()).toEqual(["rootfs-1"]);
    await publish("system-2", ["rootfs-1"]);
    expect(await intact()).toEqual(["rootfs-1", "system-2"]);
    await publish("image-3", ["system-2", "rootfs-1"], ["disk.img"]);
    expect(await intact()).toEqual(["image-3", "rootfs-1", "system-2"]);
  });

  test("not when one below is gone", async () => {
    await rm(join(folder, "rootfs-1"), { recursive: true });
    expect(await intact()).toEqual([]);
  });

  test.each(["disk.img", "tree", "layer.json"])("not without its %s", async (part) => {
    await rm(join(folder, "image-3", part), { recursive: true });
    expect(await intact()).toEqual(["rootfs-1", "system-2"]);
  });

  test("not when its record cannot be read", async () => {
    await writeFile(join(folder, "system-2/layer.json"), '{"id":');
    expect(await intact()).toEqual(["rootfs-1"]);
  });
});

test("a cache that is not there has no layers", async () => {
  expect(await intactLayers(join(folder, "nothing"))).toEqual([]);
});
