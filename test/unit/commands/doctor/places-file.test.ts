import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockedPlaces } from "../../../../src/commands/doctor/places-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-places-"));
});
afterEach(() => rm(folder, { recursive: true }));

const obstacleTo = async (path: string) =>
  (await blockedPlaces([{ use: "cache", folder: path }]))[0]?.obstacle;

describe("a folder that is to be written", () => {
  test("may be missing where the one above can be written, and is not made", async () => {
    await mkdir(join(folder, "images"));
    expect(await obstacleTo(join(folder, "images"))).toBeUndefined();
    expect(await obstacleTo(join(folder, "secret/host-keys"))).toBeUndefined();
    expect(await readdir(folder)).toEqual(["images"]);
  });
  test("cannot be made in a file, nor where a link leads nowhere", async () => {
    const [file, link] = [join(folder, "file"), join(folder, "link")];
    await writeFile(file, "");
    await symlink("/nonexistent/berry", link);
    expect(await obstacleTo(join(file, "images"))).toEqual({ at: file, why: "no folder" });
    expect(await obstacleTo(join(link, "images"))).toEqual({ at: link, why: "no folder" });
  });
  test("cannot be made where nobody may write, not even root", async () => {
    const obstacle = await obstacleTo("/proc/sys/nonexistent/berry");
    expect(obstacle?.at).toBe("/proc/sys");
    expect(obstacle?.why).not.toBe("no folder");
  });
});
