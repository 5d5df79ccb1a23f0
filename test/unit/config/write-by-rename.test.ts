import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeByRename } from "../../../src/config/write-by-rename.ts";
import { failureOf } from "../../fixtures/failure-of.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-rename-"));
  path = join(folder, "text");
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

describe("a file that is replaced by one rename", () => {
  test("is made where there is none, with the mode that was asked for", async () => {
    await writeByRename(path, "new\n", { ending: "partial", mode: 0o600 });
    expect(await readFile(path, "utf8")).toBe("new\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["text"]);
  });

  test("takes the place of what was there, also of a draft that a killed process left", async () => {
    await writeFile(path, "old\n");
    await writeFile(join(folder, ".text.partial"), "half of something longer\n");
    await writeByRename(path, "new\n", { ending: "partial" });
    expect(await readFile(path, "utf8")).toBe("new\n");
    expect(await readdir(folder)).toEqual(["text"]);
  });

  test("writes through no link that lies where its draft goes", async () => {
    const other = join(folder, "other");
    await writeFile(other, "somebody's\n");
    await symlink("other", join(folder, ".text.partial"));
    await writeByRename(path, "new\n", { ending: "partial" });
    expect(await readFile(other, "utf8")).toBe("somebody's\n");
    expect((await lstat(path)).isFile()).toBeTrue();
  });

  test("is as it was when its draft cannot be prepared, and no draft stays", async () => {
    await writeFile(path, "old\n");
    const thrown = await failureOf(
      writeByRename(path, "new\n", {
        ending: "partial",
        prepare: async () => await Promise.reject(new Error("no owner")),
      }),
    );
    expect(thrown).toMatchObject({ message: "no owner" });
    expect(await readFile(path, "utf8")).toBe("old\n");
    expect(await readdir(folder)).toEqual(["text"]);
  });
});
