import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announce } from "../../../../src/probe/announce/announcement-file.ts";
import { renderService } from "../../../../src/probe/announce/render-service.ts";

const service = renderService({ serial: "a1", model: "Pi", role: null, version: "1" });
const newer = renderService({ serial: "a1", model: "Pi", role: null, version: "2" });

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-avahi-"));
});
afterEach(() => rm(folder, { recursive: true }));

const file = () => join(folder, "berry.service");

describe("an announcement", () => {
  test("is a file that everybody may read, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      expect(announce(folder, service)).toEqual({ path: file(), isWritten: true, removed: [], rivals: [] });
    } finally {
      process.umask(umask);
    }
    expect(await readFile(file(), "utf8")).toBe(service);
    expect((await stat(file())).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(["berry.service"]);
  });
  test("is not touched when it says so already", async () => {
    announce(folder, service);
    const { ino, mtimeMs, ctimeMs } = await stat(file());
    expect(announce(folder, service).isWritten).toBe(false);
    expect(await stat(file())).toMatchObject({ ino, mtimeMs, ctimeMs });
  });
  test("is replaced, not rewritten, when it changes", async () => {
    announce(folder, service);
    const { ino } = await stat(file());
    expect(announce(folder, newer).isWritten).toBe(true);
    expect(await readFile(file(), "utf8")).toBe(newer);
    expect((await stat(file())).ino).not.toBe(ino);
  });
  test("takes away berry's own files of other names, and what a kill left behind", async () => {
    announce(folder, service);
    await writeFile(join(folder, "berry-node.service"), service);
    await writeFile(join(folder, ".berry.service.next"), "half");
    await writeFile(join(folder, "ssh.service"), "<service-group/>");
    const removed = ["berry-node.service", ".berry.service.next"].map((name) => join(folder, name));
    expect(announce(folder, service).removed).toEqual(removed);
    expect((await readdir(folder)).toSorted()).toEqual(["berry.service", "ssh.service"]);
  });
  test("names the files of others that announce a node, and leaves them", async () => {
    await writeFile(join(folder, "mine.service"), "<service><type>_berry._tcp</type></service>");
    await symlink("/nonexistent", join(folder, "nowhere.service"));
    expect(announce(folder, service).rivals).toEqual([join(folder, "mine.service")]);
    expect((await readdir(folder)).toSorted()).toEqual(["berry.service", "mine.service", "nowhere.service"]);
  });
  test("never replaces a file that berry has not written", async () => {
    await writeFile(file(), "<service-group/>");
    expect(() => announce(folder, service)).toThrow("not written by berry");
    expect(await readFile(file(), "utf8")).toBe("<service-group/>");
    expect(await readdir(folder)).toEqual(["berry.service"]);
  });
  test.each([
    ["a link that leads nowhere", () => symlink("/nonexistent", file()), "a link"],
    ["a link that silences the node", () => symlink("/dev/null", file()), "a link"],
    ["a folder", () => mkdir(file()), "not a file"],
  ])("never replaces %s", async (_, make, what) => {
    await make();
    expect(() => announce(folder, service)).toThrow(
      expect.objectContaining({
        kind: "cannot-create",
        message: `${file()}: ${what}, and therefore left as it is`,
      }),
    );
    expect(await readdir(folder)).toEqual(["berry.service"]);
  });
  test("is drafted in a file of its own, whatever had the name of the draft", async () => {
    const victim = join(folder, "victim");
    await writeFile(victim, "mine");
    await symlink(victim, join(folder, ".berry.service.next"));
    expect(announce(folder, service).isWritten).toBe(true);
    expect(await readFile(victim, "utf8")).toBe("mine");
    expect((await lstat(file())).isFile()).toBe(true);
  });
  test("waits for no pipe that lies beside it", () => {
    const pipe = join(folder, "pipe.service");
    Bun.spawnSync(["mkfifo", pipe]);
    expect(announce(folder, service)).toMatchObject({ isWritten: true, rivals: [], removed: [] });
  });
  test("needs a folder", async () => {
    await writeFile(file(), "");
    expect(() => announce(file(), service)).toThrow(`${file()}: not a folder`);
  });
  test("needs avahi", () => {
    const missing = join(folder, "missing");
    expect(() => announce(missing, service)).toThrow(`${missing}: not there: avahi is not installed`);
  });
  test.skipIf(process.getuid?.() === 0)("says who may write it", async () => {
    await chmod(folder, 0o555);
    expect(() => announce(folder, service)).toThrow(`cannot write ${file()}`);
    await chmod(folder, 0o755);
  });
});
