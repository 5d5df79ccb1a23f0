import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../../fixtures/failure-of.ts";
import {
  copyIntoRoot,
  makeDirectoryInRoot,
  ownerIds,
  removeInRoot,
  setLineInRoot,
  symlinkInRoot,
  writeInRoot,
} from "../../../../src/imager/steps/files.ts";

const { uid, gid } = userInfo();
/** What anyone may give away. */
const owner = `${uid}:${gid}`;

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-files-"));
  root = join(folder, "root");
  await mkdir(join(root, "etc"), { recursive: true });
  await writeFile(
    join(root, "etc/passwd"),
    `root:x:0:0::/root:/bin/sh\nchaney:x:${uid}:${gid}::/home/chaney:/bin/sh\n`,
  );
  await writeFile(join(root, "etc/group"), `root:x:0:\nchaney:x:${gid}:\n`);
  await writeFile(join(folder, "outside"), "untouched\n");
});
afterEach(() => rm(folder, { recursive: true }));

const outside = (): Promise<string> => readFile(join(folder, "outside"), "utf8");
const write = (path: string, content: string, mode = 0o644): Promise<void> =>
  writeInRoot({ root, path, content, mode, owner });

describe("writing a file of the image", () => {
  test("makes the folders above it, and gives it its mode whatever the umask", async () => {
    await write("/etc/deep/er/file", "content\n", 0o666);
    expect(await readFile(join(root, "etc/deep/er/file"), "utf8")).toBe("content\n");
    expect((await lstat(join(root, "etc/deep/er/file"))).mode & 0o7777).toBe(0o666);
  });
  test("keeps a set-user-id bit", async () => {
    await write("/etc/program", "", 0o4755);
    expect((await lstat(join(root, "etc/program"))).mode & 0o7777).toBe(0o4755);
  });
  test("replaces a symbolic link, and not what it leads to", async () => {
    await symlink(join(folder, "outside"), join(root, "etc/link"));
    await write("/etc/link", "new\n");
    expect(await outside()).toBe("untouched\n");
    expect((await lstat(join(root, "etc/link"))).isFile()).toBe(true);
  });
  test("does not follow a link of the image out of it", async () => {
    await symlink("/", join(root, "escape"));
    await symlink(`../../..${folder}`, join(root, "upwards"));
    await write(`/escape${folder}/outside`, "new\n");
    await write("/upwards/outside", "new\n");
    expect(await outside()).toBe("untouched\n");
    expect(await readFile(join(root, folder, "outside"), "utf8")).toBe("new\n");
  });
  test("is not led away by a link where it writes first", async () => {
    await symlink(join(folder, "outside"), join(root, "etc/file.berry-new"));
    await write("/etc/file", "new\n");
    expect(await outside()).toBe("untouched\n");
    expect(await readdir(join(root, "etc"))).not.toContain("file.berry-new");
  });
  test("finds the owner's number in the image", async () => {
    expect(await ownerIds(root, "chaney:chaney")).toEqual({ uid, gid });
    expect(await ownerIds(root, "12:34")).toEqual({ uid: 12, gid: 34 });
  });
  test("names the image's users when it has no such owner", async () => {
    expect(
      await failureOf(writeInRoot({ root, path: "/etc/x", content: "", mode: 0o644, owner: "nobody:root" })),
    ).toMatchObject({
      kind: "config",
      message: "the image has no user nobody",
      hint: "it has root, chaney",
    });
    expect(await failureOf(ownerIds(root, "root:wheel"))).toMatchObject({
      message: "the image has no group wheel",
    });
  });
});

describe("copying a file into the image", () => {
  const hash = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const copy = (source: string, sha256: string): Promise<void> =>
    copyIntoRoot({
      do: "copy",
      source: join(folder, source),
      sha256,
      root,
      path: "/opt/copy",
      mode: 0o600,
      owner,
    });
  test("copies what was looked at when the plan was made", async () => {
    await copy("outside", hash("untouched\n"));
    expect(await readFile(join(root, "opt/copy"), "utf8")).toBe("untouched\n");
    expect((await lstat(join(root, "opt/copy"))).mode & 0o7777).toBe(0o600);
  });
  test("refuses a file that changed since, and leaves nothing", async () => {
    expect(await failureOf(copy("outside", hash("before\n")))).toMatchObject({
      kind: "temporary",
      hint: "run the bake again",
    });
    expect(await readdir(join(root, "opt"))).toEqual([]);
  });
  test("names a file that is not there", async () => {
    expect(await failureOf(copy("gone", hash("")))).toMatchObject({
      kind: "no-input",
      message: `cannot copy ${join(folder, "gone")} into the image`,
    });
  });
});

describe("folders and links of the image", () => {
  test("are made with their modes", async () => {
    await makeDirectoryInRoot({ do: "make-directory", root, path: "/home/chaney/.ssh", mode: 0o700, owner });
    expect((await lstat(join(root, "home/chaney/.ssh"))).mode & 0o7777).toBe(0o700);
  });
  test("are kept with what is in them", async () => {
    await makeDirectoryInRoot({ do: "make-directory", root, path: "/etc", mode: 0o711, owner });
    expect(await readdir(join(root, "etc"))).toContain("passwd");
    expect((await lstat(join(root, "etc"))).mode & 0o7777).toBe(0o711);
  });
  test("replace what was there, and say what they were told", async () => {
    for (const target of ["/usr/share/zoneinfo/UTC", "../run/resolv.conf"]) {
      await symlinkInRoot({ do: "symlink", root, path: "/etc/passwd", target });
      expect(await readlink(join(root, "etc/passwd"))).toBe(target);
    }
  });
});

describe("removing from the image", () => {
  const remove = (...paths: string[]): Promise<void> => removeInRoot({ do: "remove", root, paths });
  beforeEach(async () => {
    await mkdir(join(root, "var/log/journal"), { recursive: true });
    await mkdir(join(root, "etc/ssh"));
    const names = ["alternatives.log", "dpkg.log", "dpkg.log.1", "lastlog", ".hidden.log"];
    for (const name of names) await writeFile(join(root, "var/log", name), "");
    for (const name of ["ssh_host_rsa_key", "ssh_host_ed25519_key.pub", "sshd_config"])
      await writeFile(join(root, "etc/ssh", name), "");
  });
  test("takes files and folders, and does not mind what is not there", async () => {
    await remove("/var/log", "/var/log", "/not/here");
    expect(await readdir(join(root, "var"))).toEqual([]);
  });
  test("empties a folder with all that is hidden in it", async () => {
    await remove("/var/log/*", "/not/here/*");
    expect(await readdir(join(root, "var/log"))).toEqual([]);
  });
  test("takes what a star at the end stands for", async () => {
    await remove("/etc/ssh/ssh_host_*");
    expect(await readdir(join(root, "etc/ssh"))).toEqual(["sshd_config"]);
  });
  test("takes what a star at the beginning stands for", async () => {
    await remove("/var/log/*.log");
    expect((await readdir(join(root, "var/log"))).sort()).toEqual(["dpkg.log.1", "journal", "lastlog"]);
  });
  test("reads nothing but the star as a pattern", async () => {
    for (const name of ["a.b", "a+b", "aXb", "[ab]"])
      await writeFile(join(root, "var/log/journal", name), "");
    await remove("/var/log/journal/a.*", "/var/log/journal/[ab]*");
    expect((await readdir(join(root, "var/log/journal"))).sort()).toEqual(["a+b", "aXb"]);
  });
  test("removes a link, and not what it leads to", async () => {
    await symlink(folder, join(root, "etc/link"));
    await remove("/etc/link");
    expect(await outside()).toBe("untouched\n");
    expect(await readdir(join(root, "etc"))).not.toContain("link");
  });
  test("does not follow a link of the image out of it", async () => {
    await symlink(folder, join(root, "var/out"));
    await remove("/var/out/*", "/var/out/out*", "/var/out/outside");
    expect(await outside()).toBe("untouched\n");
  });
});

describe("setting a line", () => {
  const set = (startsWith: string, line: string): Promise<void> =>
    setLineInRoot({ do: "set-line", root, path: "/etc/settings", startsWith, line });
  const settings = async (before: string): Promise<string> => {
    await writeFile(join(root, "etc/settings"), before);
    await set("CMA=", "CMA=0");
    return await readFile(join(root, "etc/settings"), "utf8");
  };
  test("takes the place of every line that starts so", async () => {
    expect(await settings("CMA=64M\nOTHER=1\nCMA=auto\n")).toBe("OTHER=1\nCMA=0\n");
  });
  test("leaves what only looks alike", async () => {
    expect(await settings("#CMA=64M\nXCMA=1\n CMA=2\n")).toBe("#CMA=64M\nXCMA=1\n CMA=2\nCMA=0\n");
  });
  test("ends a last line that has no end", async () => {
    expect(await settings("OTHER=1")).toBe("OTHER=1\nCMA=0\n");
  });
  test("twice is the same as once", async () => {
    const once = await settings("OTHER=1\n");
    await set("CMA=", "CMA=0");
    expect(await readFile(join(root, "etc/settings"), "utf8")).toBe(once);
  });
  test("keeps the file's mode", async () => {
    await writeFile(join(root, "etc/settings"), "");
    await chmod(join(root, "etc/settings"), 0o600);
    await set("a", "a");
    expect((await lstat(join(root, "etc/settings"))).mode & 0o7777).toBe(0o600);
  });
  test("goes through a link inside the image", async () => {
    await mkdir(join(root, "usr"));
    await writeFile(join(root, "usr/settings"), "a=1\n");
    await symlink("/usr/settings", join(root, "etc/settings"));
    await set("a=", "a=2");
    expect(await readFile(join(root, "usr/settings"), "utf8")).toBe("a=2\n");
  });
  test.skipIf(uid !== 0)("makes a file that was not there, which is root's", async () => {
    await set("a=", "a=2");
    expect(await readFile(join(root, "etc/settings"), "utf8")).toBe("a=2\n");
  });
});
