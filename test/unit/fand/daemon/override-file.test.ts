import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  readBootSeconds,
  readOverrides,
  watchOverrides,
  writeOverrides,
} from "../../../../src/fand/daemon/override-file.ts";
import { percent } from "../../../../src/fand/units.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-override-"));
  path = join(folder, "override");
});
afterEach(() => rm(folder, { recursive: true }));

const uid = process.getuid?.() ?? 0;
const set = (duty: number) => [{ fan: "fan", duty: percent(duty), untilSeconds: 100 }];

describe("the file of what is set by hand", () => {
  test("is its owner's alone, replaced as a whole, and gone when nothing is set", () => {
    expect(readOverrides(path, uid)).toEqual({ overrides: [], flaw: null });
    writeFileSync(`${path}.next`, "half a file of one that was killed", { mode: 0o666 });
    writeOverrides(path, set(60));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readOverrides(path, uid)).toEqual({ overrides: set(60), flaw: null });
    writeOverrides(path, []);
    writeOverrides(path, []);
    expect(readOverrides(path, uid)).toEqual({ overrides: [], flaw: null });
  });
  test("is read anew only when it is another", () => {
    const look = watchOverrides(path, uid);
    expect(look().overrides).toEqual([]);
    writeOverrides(path, set(60));
    const first = look();
    expect(first.overrides).toEqual(set(60));
    expect(look()).toBe(first);
    writeOverrides(path, set(50));
    expect(look().overrides).toEqual(set(50));
    writeOverrides(path, []);
    expect(look().overrides).toEqual([]);
  });
  test.each([
    ["that others may write to", () => chmodSync(path, 0o620), "others may write to it"],
    ["that is too large", () => writeFileSync(path, " ".repeat(20_000)), "20000 bytes"],
    ["of garbage", () => writeFileSync(path, "60%\n"), "not what berry writes"],
    ["that is empty", () => writeFileSync(path, ""), "not what berry writes"],
  ])("is not believed where it is one %s", (_, spoil, flaw) => {
    writeOverrides(path, set(0));
    spoil();
    expect(readOverrides(path, uid)).toEqual({ overrides: [], flaw });
  });
  test("is not believed where it is a link, a pipe or another user's", () => {
    const other = join(folder, "other");
    writeOverrides(other, set(0));
    symlinkSync(other, path);
    expect(readOverrides(path, uid)).toEqual({ overrides: [], flaw: "ELOOP" });
    expect(Bun.spawnSync(["mkfifo", join(folder, "pipe")]).exitCode).toBe(0);
    expect(readOverrides(join(folder, "pipe"), uid).flaw).toBe("no plain file");
    expect(readOverrides(other, uid + 1).flaw).toBe(`it belongs to user ${uid}`);
  });
});

test("the time since boot is read from the kernel, and none where it does not say", () => {
  writeFileSync(join(folder, "uptime"), "12345.67 23456.78\n");
  expect(readBootSeconds(folder)).toBe(12_345.67);
  expect(readBootSeconds(join(folder, "nowhere"))).toBeNaN();
});
