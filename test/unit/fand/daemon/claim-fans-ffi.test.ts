import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { areFansClaimed, claimFans } from "../../../../src/fand/daemon/claim-fans-ffi.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

let folder = "";
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "berry-claim-")), "berry");
});
afterEach(() => rm(resolve(folder, ".."), { recursive: true }));

const claimAgain = async () => claimFans(folder);
const program = resolve(import.meta.dir, "../../../fixtures/claim-fans.fixture.ts");

describe("the fans of a machine", () => {
  test("are claimed by one at a time, who is named to the next", async () => {
    expect(areFansClaimed(folder)).toBe(false);
    const claim = claimFans(folder);
    expect(areFansClaimed(folder)).toBe(true);
    expect(await failureOf(claimAgain())).toMatchObject({
      kind: "temporary",
      message: `process ${process.pid} drives the fans of this machine already`,
      hint: "systemctl stop berry-fand, or end what was started by hand",
    });
    claim[Symbol.dispose]();
    claim[Symbol.dispose]();
    expect(areFansClaimed(folder)).toBe(false);
    claimFans(folder)[Symbol.dispose]();
  });
  test("are free again when who claimed them was killed, whatever it has started", async () => {
    const child = Bun.spawn([process.execPath, program, folder], { stdin: "pipe", stdout: "pipe" });
    const { value } = await child.stdout.getReader().read();
    const started = Number(new TextDecoder().decode(value).split(" ")[1]);
    try {
      expect(await failureOf(claimAgain())).toMatchObject({
        message: `process ${child.pid} drives the fans of this machine already`,
      });
      child.kill("SIGKILL");
      await child.exited;
      claimFans(folder)[Symbol.dispose]();
    } finally {
      process.kill(started);
    }
  });
  test("cannot be kept from berry by who may read files: the lock is its owner's alone", async () => {
    claimFans(folder)[Symbol.dispose]();
    await chmod(join(folder, "lock"), 0o644);
    claimFans(folder)[Symbol.dispose]();
    expect((await stat(join(folder, "lock"))).mode & 0o777).toBe(0o600);
  });
  test("stay claimed where somebody removes the lock, unless another was quicker", async () => {
    const first = claimFans(folder);
    first.keep();
    await rm(folder, { recursive: true });
    expect(areFansClaimed(folder)).toBe(false);
    first.keep();
    expect(areFansClaimed(folder)).toBe(true);
    await rm(join(folder, "lock"));
    const second = claimFans(folder);
    expect(await failureOf((async () => first.keep())())).toMatchObject({ kind: "temporary" });
    second.keep();
    second[Symbol.dispose]();
    first.keep();
    expect(areFansClaimed(folder)).toBe(true);
    first[Symbol.dispose]();
    expect(areFansClaimed(folder)).toBe(false);
  });
  test("are not claimed by a lock that is a link or a folder, which is no fault of berry", async () => {
    await mkdir(folder);
    await symlink("/etc/passwd", join(folder, "lock"));
    expect(await failureOf(claimAgain())).toMatchObject({
      kind: "cannot-create",
      message: `${folder}/lock: something else is in its place: ELOOP`,
    });
    expect(await failureOf((async () => areFansClaimed(folder))())).toMatchObject({ kind: "cannot-create" });
    await rm(join(folder, "lock"));
    await mkdir(join(folder, "lock"));
    expect(await failureOf(claimAgain())).toMatchObject({ kind: "cannot-create" });
  });
});
