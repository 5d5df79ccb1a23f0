import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockedImage } from "../../../../src/imager/lock/lock.ts";
import type { LockedImage } from "../../../../src/imager/lock/lock.ts";
import { noteNames } from "../../../../src/imager/software/software-file.ts";
import type { NodePlan } from "../../../../src/imager/bake-plan.ts";
import { nodeSoftware, publishImage } from "../../../../src/imager/steps/publish-image.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { arch, makeCluster, makeNode, planOf } from "../plan/cluster-values.ts";
import { archNotes } from "../software/software-values.ts";

let folder: string;
let node: NodePlan;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-list-"));
  const [planned] = planOf(makeCluster(arch, [makeNode("pi1")])).nodes;
  if (planned === undefined) throw new Error("no node was planned");
  const layers = [
    { directory: join(folder, "rootfs"), origin: "rootfs" },
    { directory: join(folder, "system"), origin: "mirror" },
  ] as const;
  const notes = [
    archNotes("rootfs", { bash: "5-1" }, ["rootfs.tar.gz"]),
    archNotes("mirror", { bash: "5-1", vim: "9-1" }, ["vim-9-1-aarch64.pkg.tar.xz"]),
  ];
  for (const [index, { directory }] of layers.entries()) {
    await mkdir(directory);
    for (const key of ["database", "digests", "osRelease"] as const)
      await writeFile(join(directory, noteNames[key]), notes[index]?.[key] ?? "");
  }
  node = {
    ...planned,
    partial: join(folder, ".pi1.img.partial"),
    output: join(folder, "pi1.img"),
    software: {
      ...planned.software,
      layers,
      partial: join(folder, ".pi1.cdx.json.partial"),
      output: join(folder, "pi1.cdx.json"),
    },
  };
  await writeFile(node.partial, "new image");
  await writeFile(node.output, "old image");
  await writeFile(node.software.output, "old list");
});

afterEach(() => rm(folder, { recursive: true }));

const locked = (image: LockedImage): NodePlan => ({ ...node, software: { ...node.software, locked: image } });
const text = (path: string) => readFile(path, "utf8").catch(() => null);

describe("an image and its list of software", () => {
  test("get their names together", async () => {
    await publishImage(node, await nodeSoftware(node));
    expect(await text(node.output)).toBe("new image");
    expect(await text(node.software.output)).toContain('"pkg:alpm/archarm/vim@9-1?arch=aarch64"');
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
  });
  test("fit each other when something ends it in between: the old list is gone before the image is another one", async () => {
    const software = await nodeSoftware(node);
    await rm(node.partial);
    expect(await failureOf(publishImage(node, software))).toMatchObject({ code: "ENOENT" });
    expect([await text(node.output), await text(node.software.output)]).toEqual(["old image", null]);
  });
  test("stay what they were when the list cannot be written", async () => {
    const software = await nodeSoftware(node);
    await mkdir(node.software.partial);
    expect(await failureOf(publishImage(node, software))).toMatchObject({ code: "EISDIR" });
    expect([await text(node.output), await text(node.software.output)]).toEqual(["old image", "old list"]);
  });
});

describe("an image that is locked", () => {
  test("is baked where its layers have what the lock has, and else not", async () => {
    const fitting = lockedImage(await nodeSoftware(node));
    expect((await nodeSoftware(locked(fitting))).packages).toHaveLength(2);
    const other = fitting.packages.map((each) => (each.name === "vim" ? { ...each, version: "8-1" } : each));
    expect(await failureOf(nodeSoftware(locked({ ...fitting, packages: other })))).toMatchObject({
      kind: "unavailable",
      message: "the image of pi1 would not be what the lock says:\n  vim (aarch64): locked 8-1, found 9-1",
    });
  });
});
