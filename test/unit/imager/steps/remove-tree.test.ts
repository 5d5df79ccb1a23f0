import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { mountPoints, removeTree } from "../../../../src/imager/steps/remove-tree.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-tree-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("removing a folder of berry's own", () => {
  test("takes all below it, also what is read-only", async () => {
    await mkdir(join(folder, "tree/deep"), { recursive: true });
    await writeFile(join(folder, "tree/deep/file"), "");
    await chmod(join(folder, "tree/deep/file"), 0o400);
    await removeTree(join(folder, "tree"));
    expect(await readdir(folder)).toEqual([]);
  });
  test("does not mind that there is none", async () => {
    await removeTree(join(folder, "none"));
    expect(await readdir(folder)).toEqual([]);
  });
  test("removes links, and not what they lead to", async () => {
    await mkdir(join(folder, "tree"));
    await mkdir(join(folder, "kept"));
    await writeFile(join(folder, "kept/file"), "here");
    await symlink(join(folder, "kept"), join(folder, "tree/link"));
    await removeTree(join(folder, "tree"));
    expect(await readFile(join(folder, "kept/file"), "utf8")).toBe("here");
  });
  test("refuses while something is mounted there, and names it", async () => {
    expect(await failureOf(removeTree("/proc"))).toMatchObject({
      kind: "software",
      message: "/proc was not removed: /proc is still mounted",
    });
  });
  test("knows what is mounted", async () => {
    expect(await mountPoints()).toContain("/proc");
  });
});
