import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { intactLayers, recordLayer } from "../../../src/imager/layer-record-file.ts";
import { noteNames } from "../../../src/imager/software/software-file.ts";

let folder: string;
const notes = Object.values(noteNames);

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
  for (const file of [...notes, ...files]) await writeFile(join(work, file), "");
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

  test.each(["disk.img", "tree", "layer.json", ...notes])("not without its %s", async (part) => {
    await rm(join(folder, "image-3", part), { recursive: true });
    expect(await intact()).toEqual(["rootfs-1", "system-2"]);
  });

  test.each(['{"id":', "{}", "[]", "null", '{"id":"1","below":{}}', '{"id":"1","parts":[]}'])(
    "not when its record is %s",
    async (record) => {
      await writeFile(join(folder, "system-2/layer.json"), record);
      expect(await intact()).toEqual(["rootfs-1"]);
    },
  );

  test("not when an older berry made it, which did not note its packages; native tools need no notes", async () => {
    for (const name of ["system-2", "native-tools-4"]) {
      const work = join(folder, name);
      await mkdir(join(work, "tree"), { recursive: true });
      for (const note of notes) await rm(join(work, note), { force: true });
      await writeFile(join(work, "layer.json"), '{"id":"1","below":{},"parts":["tree"]}');
    }
    expect(await intact()).toEqual(["native-tools-4", "rootfs-1"]);
  });
});

test("a cache that is not there has no layers", async () => {
  expect(await intactLayers(join(folder, "nothing"))).toEqual([]);
});
