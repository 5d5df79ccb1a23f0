import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const house = resolve(import.meta.dir, "../../..");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-manual-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("man(1) reads every page without a warning", async () => {
  const written = Bun.spawnSync([process.execPath, "src/main.ts", "manual", folder], { cwd: house });
  expect(written.exitCode).toBe(0);
  const names = await readdir(folder);
  expect(names).toContain("berry-imager.1");
  for (const name of names) {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["man", "--warnings", "-l", join(folder, name)], {
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MANWIDTH: "80", MAN_KEEP_FORMATTING: "" },
    });
    expect([name, exitCode, stderr.toString()]).toEqual([name, 0, ""]);
    expect(stdout.toString()).toContain("EXIT STATUS");
  }
});
