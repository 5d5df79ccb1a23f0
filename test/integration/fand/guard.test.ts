import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGuard } from "../../../src/fand/calibrate/guard-file.ts";
import { failureOf } from "../../fixtures/failure-of.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-guard-"));
});
afterEach(() => rm(folder, { recursive: true }));

const failsafe = 'echo raised >"$OUT"; exit "$STATUS"';
const env = (status: number) => ({ OUT: join(folder, "out"), STATUS: `${status}` });

describe("a guard", () => {
  test("watches as long as it is told that all is well, and raises when it is dismissed", async () => {
    const guard = await startGuard(failsafe, env(0));
    guard.beat();
    guard.beat();
    expect(existsSync(join(folder, "out"))).toBe(false);
    expect(await guard.dismiss()).toBe(true);
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("raised\n");
  });
  test("says when a fan could not be raised", async () => {
    expect(await (await startGuard(failsafe, env(1))).dismiss()).toBe(false);
  });
  test("does the same without coreutils", async () => {
    const guard = await startGuard(failsafe, { ...env(0), PATH: "/nonexistent" });
    guard.beat();
    expect(await guard.dismiss()).toBe(true);
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("raised\n");
  });
  test("raises, and tells that it is lost, when it hears nothing for five seconds", async () => {
    const guard = await startGuard(failsafe, env(0));
    expect(String(await failureOf(guard.lost))).toContain("the guard ended with 0");
    expect(existsSync(join(folder, "out"))).toBe(true);
    // a beat that nobody hears does no harm
    guard.beat();
    await guard.dismiss();
  });
});
