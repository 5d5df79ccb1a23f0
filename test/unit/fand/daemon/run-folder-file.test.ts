import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusalOfFile, replaceFile } from "../../../../src/fand/daemon/run-folder-file.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-run-"));
  path = join(folder, "berry.prom");
});
afterEach(() => rm(folder, { recursive: true }));

const replaced = async (text: string) => replaceFile(path, text);

describe("a file of the run folder", () => {
  test("is replaced as a whole, and may be read by everybody", () => {
    replaceFile(path, "1\n");
    replaceFile(path, "2 °C\n");
    expect(readFileSync(path, "utf8")).toBe("2 °C\n");
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(existsSync(`${path}.next`)).toBe(false);
  });
  test("stays as it was where something else is in its place, and nothing is left behind", async () => {
    mkdirSync(path);
    expect(await failureOf(replaced("1\n"))).toMatchObject({
      kind: "cannot-create",
      message: `${path}: something else is in its place: EISDIR`,
      hint: `ls -ld ${path}* shows what; remove it`,
    });
    expect(existsSync(`${path}.next`)).toBe(false);
  });
  test("is not written through a link, nor into a pipe that nobody reads", async () => {
    writeFileSync(join(folder, "other"), "mine");
    symlinkSync("other", `${path}.next`);
    expect(await failureOf(replaced("1\n"))).toMatchObject({ kind: "cannot-create" });
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("mine");
    Bun.spawnSync(["mkfifo", `${path}.next`]);
    expect(await failureOf(replaced("1\n"))).toMatchObject({ kind: "cannot-create" });
  });
  test.each([
    ["ENOSPC", "cannot-create", /no space left/, /^df \/run\/berry, and df -i/],
    ["EROFS", "cannot-create", /read-only/, /^findmnt --target \/run\/berry/],
    ["EACCES", "no-permission", /driven by root alone/, /sudo/],
  ] as const)("that is refused with %s says what to do", (code, kind, message, hint) => {
    const refusal = refusalOfFile("/run/berry/outputs", Object.assign(new Error(code), { code }));
    expect(refusal.kind).toBe(kind);
    expect(refusal.message).toMatch(message);
    expect(refusal.hint).toMatch(hint);
  });
});
