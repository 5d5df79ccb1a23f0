import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRole } from "../../../../src/probe/announce/role-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-role-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the role of a node", () => {
  test.each([
    ['role = "monitor"\n', "monitor"],
    ['# what it is for\nname = "pi1"\nrole = "k3s-server"\n', "k3s-server"],
    ['name = "pi1"\n', null],
    ["", null],
  ])("is what its file says: %j", async (text, role) => {
    const file = join(folder, "node.toml");
    await writeFile(file, text);
    expect(readRole(file)).toBe(role);
  });
  test("is none where there is no file", () => {
    expect(readRole(join(folder, "missing.toml"))).toBeNull();
  });
  test.each([
    ['role = "Big Boss"', 'role: not a role, got "Big Boss"'],
    ["role = 3", "role: not a text, got 3"],
    ["role =", "not TOML"],
  ])("is not guessed from %j", async (text, complaint) => {
    const file = join(folder, "wrong.toml");
    await writeFile(file, text);
    expect(() => readRole(file)).toThrow(`${file}: ${complaint}`);
  });
  test("is not known where the file cannot be read", async () => {
    const file = join(folder, "folder.toml");
    await mkdir(file);
    expect(() => readRole(file)).toThrow(`cannot read ${file}`);
  });
});
