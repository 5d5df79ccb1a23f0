import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeChangedText } from "../../../../src/probe/formats/changed-file.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-changed-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a text is written into a file that differs", () => {
  test.skipIf(process.getuid?.() !== 0)("which stays its owner's, and its group's", async () => {
    const file = join(folder, "nodes.json");
    await writeFile(file, "old", { mode: 0o640 });
    await chown(file, 1234, 2345);
    expect(await writeChangedText(file, "new")).toBe(true);
    expect(await readFile(file, "utf8")).toBe("new");
    const { uid, gid, mode } = await stat(file);
    expect([uid, gid, mode & 0o777]).toEqual([1234, 2345, 0o640]);
  });
  test.each([
    ["leads nowhere", "nowhere"],
    ["leads to itself", "link"],
  ])("unless that is a link that %s", async (_, target) => {
    const link = join(folder, "link");
    await symlink(target, link);
    expect(await failureOf(writeChangedText(link, "new"))).toMatchObject({
      kind: "cannot-create",
      message: `${link}: a link that leads nowhere, and left as it is`,
      hint: expect.stringContaining(`ls -l ${link}`),
    });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(folder)).toEqual(["link"]);
  });
});
