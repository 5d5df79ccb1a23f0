import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { debugfsScript } from "../../../../src/imager/formats/debugfs-script.ts";
import { rootGeometry, treeSize } from "../../../../src/imager/formats/disk-layout.ts";
import { shellFunctions } from "../../../../src/imager/script/functions.ts";
import { settleInodesScript, usedInodes } from "../../../../src/imager/formats/settled-inodes.ts";
import { settledDescription, settledShadow } from "../../../../src/imager/formats/settled-text.ts";
import { copyMapped } from "../../../../src/imager/steps/copy-mapped.ts";
import { addLinesInRoot, removeInRoot, setLineInRoot } from "../../../../src/imager/steps/files.ts";
import { realPathInRoot } from "../../../../src/imager/steps/root-path.ts";
import { commandRunner } from "../../../../src/system/command-runner.ts";

/** The plan's script and the bake do the same: its functions answer as the modules that berry itself runs. */

const { signal } = new AbortController();
const functions = shellFunctions.map(({ text }) => text).join("\n");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-shell-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function call(argv: readonly string[], stdin = ""): Promise<string> {
  const { stdout, stderr, exitCode } = await commandRunner.run(
    ["bash", "-c", `set -euo pipefail\n${functions}\n"$@"`, "bash", ...argv],
    { stdin, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" } },
    signal,
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

async function freshRoot(name: string): Promise<string> {
  const root = join(folder, name);
  await mkdir(join(root, "usr/lib"), { recursive: true });
  await mkdir(join(root, "etc/ssh"), { recursive: true });
  return root;
}

describe("real_path of the script", () => {
  test("leads where berry's own goes, whatever the links say", async () => {
    const root = await freshRoot("paths");
    const links = {
      lib: "usr/lib",
      absolute: "/usr/lib",
      up: "../../../../etc",
      dangling: "nowhere/at/all",
      chain: "lib/../absolute",
      "with space": "/etc/ssh",
    };
    for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
    const paths = [
      "/lib/x",
      "/absolute/x",
      "/up/passwd",
      "/dangling/y",
      "/chain/z",
      "/with space/key",
      "/../../etc",
      "/",
      "/etc//ssh/./a",
    ];
    for (const path of paths) {
      expect((await call(["real_path", root, path])).trimEnd().replace(/\/$/, "")).toBe(
        (await realPathInRoot(root, path)).replace(/\/$/, ""),
      );
    }
  });
  test("gives up on links that lead in a circle, as berry does", async () => {
    const root = await freshRoot("circle");
    await symlink("b", join(root, "a"));
    await symlink("a", join(root, "b"));
    expect(String(await failureOf(call(["real_path", root, "/a/x"])))).toContain(
      "too many symbolic links in the image: /a/x",
    );
    expect(String(await failureOf(realPathInRoot(root, "/a/x")))).toContain(
      "too many symbolic links in the image: /a/x",
    );
  });
});

describe("tree_size and root_geometry of the script", () => {
  test.each([
    [0, 1, 0],
    [1, 1, 1],
    [250_000, 31_007, 256 * 1024 * 1024],
    [4_000_000, 20, 1],
    [77, 900_000, 12_345_678_901],
  ])(
    "measure a tree of %d blocks and %d inodes with %d bytes to spare as berry does",
    async (blocks, inodes, margin) => {
      const expected = rootGeometry({ blocks, inodes }, margin);
      expect(await call(["root_geometry", String(blocks), String(inodes), String(margin)])).toBe(
        `${expected.bytes} ${expected.inodes}\n`,
      );
    },
  );
  test("count hard links once, long links and holes as berry does", async () => {
    const lines = [
      "1:10 f 5000 16",
      "1:10 f 5000 16",
      "1:11 f 0 0",
      "1:12 d 4096 8",
      "1:13 d 0 0",
      "1:14 l 59 0",
      "1:15 l 60 8",
      "1:16 f 10485760 8",
      "1:17 f 10485760 20480",
      "1:18 f 1048577 0",
      "1:19 f 1099511627776 2048",
      "1:20 s 0 0",
      "2:10 f 1 8",
    ];
    const { blocks, inodes } = treeSize(lines);
    expect(await call(["tree_size"], `${lines.join("\n")}\n`)).toBe(`${blocks} ${inodes}\n`);
  });
});

describe("set_line of the script", () => {
  test.each(["", "a=1\nb=2\n", "b=2\na=1", "a=1\n\n\n", "\n\n", "  a=0\nA=1\n", "# a=\nab=1\na=\\t$x\n"])(
    "changes %j as berry does",
    async (before) => {
      const root = await freshRoot("lines");
      const [ours, theirs] = [join(root, "etc/ours"), join(root, "etc/theirs")];
      for (const path of [ours, theirs]) await writeFile(path, before);
      await setLineInRoot({ do: "set-line", root, path: "/etc/ours", startsWith: "a=", line: "a=new \\ $x" });
      await call(["set_line", root, "/etc/theirs", "a=", "a=new \\ $x"]);
      expect(await readFile(theirs, "utf8")).toBe(await readFile(ours, "utf8"));
    },
  );
});

describe("add_lines of the script", () => {
  test.each([null, "", "a=1\nb=2\n", "[all]\na=1", "a=1\n\n\n", "\n\n", "[all]\n\n[pi4]\n"])(
    "changes %j as berry does",
    async (before) => {
      const root = await freshRoot(`added-${JSON.stringify(before).length}`);
      const [ours, theirs] = [join(root, "etc/ours"), join(root, "etc/theirs")];
      await mkdir(join(root, "etc"), { recursive: true });
      await writeFile(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
      if (before !== null) for (const path of [ours, theirs]) await writeFile(path, before);
      const lines = ["[all]", "a=\\ $x"];
      await addLinesInRoot({ do: "add-lines", root, path: "/etc/ours", lines });
      await call(["add_lines", root, "/etc/theirs", ...lines]);
      const after = await readFile(ours, "utf8");
      expect(after).toEndWith("[all]\na=\\ $x\n");
      expect(await readFile(theirs, "utf8")).toBe(after);
    },
  );
});

describe("remove of the script", () => {
  test("takes away what berry takes away", async () => {
    const furnish = async (name: string): Promise<string> => {
      const root = await freshRoot(name);
      const names = ["ssh_host_rsa_key", "ssh_host_rsa_key.pub", "sshd_config", ".hidden"];
      for (const each of names) await writeFile(join(root, "etc/ssh", each), "");
      await mkdir(join(root, "usr/lib/full/deep"), { recursive: true });
      await mkdir(join(root, "usr/lib/kept/deep"), { recursive: true });
      await writeFile(join(root, "usr/lib/kept/.dot"), "");
      return root;
    };
    const [ours, theirs] = [await furnish("ours"), await furnish("theirs")];
    const paths = ["/etc/ssh/ssh_host_*", "/usr/lib/full", "/usr/lib/kept/*", "/nowhere/*", "/nowhere/x"];
    await removeInRoot({ do: "remove", root: ours, paths });
    await call(["remove", theirs, ...paths]);
    const left = (await readdir(ours, { recursive: true })).sort();
    expect((await readdir(theirs, { recursive: true })).sort()).toEqual(left);
    expect(left).toEqual([
      "etc",
      "etc/ssh",
      "etc/ssh/.hidden",
      "etc/ssh/sshd_config",
      "usr",
      "usr/lib",
      "usr/lib/kept",
    ]);
  });
});

describe("settle of the script", () => {
  const epoch = 1_700_000_000;
  test("settles dates in files as berry does, and touches what is younger alone", async () => {
    const root = await freshRoot("settled");
    const database = join(root, "var/lib/pacman/local");
    const shadow = "root:!*:14871::::::\nchaney:$6$a$b:20780:0:99999:7:::\n";
    const description = (date: number): string =>
      `%NAME%\nvim\n\n%BUILDDATE%\n1800000000\n\n%INSTALLDATE%\n${date}\n\n%SIZE%\n1800000000\n`;
    for (const name of ["vim-9-1", "old-1-1"]) await mkdir(join(database, name), { recursive: true });
    await writeFile(join(database, "vim-9-1/desc"), description(1_795_406_498));
    await writeFile(join(database, "old-1-1/desc"), description(1_600_000_000));
    await writeFile(join(root, "etc/shadow"), shadow, { mode: 0o640 });
    await symlink("nowhere", join(root, "etc/link"));
    await utimes(join(database, "old-1-1"), 5, 5);
    await utimes(join(database, "old-1-1/desc"), 5, 5);
    await call(["eval", 'scratch=$3; settle "${@:4}"; true', folder, root, String(epoch), root]);
    const read = (path: string) => readFile(join(root, path), "utf8");
    expect(await read("var/lib/pacman/local/vim-9-1/desc")).toBe(
      settledDescription(description(1_795_406_498), epoch),
    );
    expect(await read("var/lib/pacman/local/old-1-1/desc")).toBe(description(1_600_000_000));
    expect(await read("etc/shadow")).toBe(settledShadow(shadow, epoch));
    const seconds = async (path: string) => (await lstat(join(root, path))).mtimeMs / 1000;
    for (const path of ["", "etc/shadow", "etc/link", "var/lib/pacman/local/vim-9-1/desc", "usr/lib"])
      expect([path, await seconds(path)]).toEqual([path, epoch]);
    expect(await seconds("var/lib/pacman/local/old-1-1/desc")).toBe(5);
    expect((await lstat(join(root, "etc/shadow"))).mode & 0o777).toBe(0o640);
  });
  test("gives debugfs the commands that berry gives it", async () => {
    const stats = [
      "Inodes per group:         16",
      "           7 free blocks, 1 free inode, 1 used directory, 1 unused inode",
      "           7 free blocks, 13 free inodes, 0 used directories, 13 unused inodes",
      "",
    ].join("\n");
    await writeFile(join(folder, "stats"), stats);
    const said = await call([
      "eval",
      'scratch=$3; debugfs() { cat "$scratch/stats"; }; settle_inodes "$scratch/disk.img" 512 7; cat "$scratch/settle-script"; true',
      folder,
    ]);
    expect(said).toBe(settleInodesScript(usedInodes(stats), 7));
  });
});

describe("copy_mapped of the script", () => {
  test("copies zeros as zeros and holes as holes, as berry does", async () => {
    const [from, ours, theirs] = ["sparse", "ours.img", "theirs.img"].map((name) => join(folder, name));
    await writeFile(from ?? "", new Uint8Array(1024 * 1024));
    await truncate(from ?? "", 64 * 1024 * 1024);
    await copyMapped(from ?? "", ours ?? "", signal);
    await call(["copy_mapped", from ?? "", theirs ?? ""]);
    const [expected, found] = [await stat(ours ?? ""), await stat(theirs ?? "")];
    expect(found.size).toBe(expected.size);
    expect(found.blocks).toBeGreaterThanOrEqual(expected.blocks);
    expect(expected.blocks).toBeGreaterThanOrEqual((1024 * 1024) / 512);
  });
});

describe("debugfs_change of the script", () => {
  test("writes the commands that berry writes", async () => {
    const upper = await freshRoot("upper");
    const file = join(upper, 'etc/a "quoted" name');
    await writeFile(file, "x");
    await chmod(file, 0o4755);
    await symlink("to where", join(upper, "etc/link"));
    const { mtimeMs, uid, gid } = await Bun.file(file).stat();
    const owner = { uid, gid, modifiedSeconds: Math.floor(mtimeMs / 1000) };
    for (const exists of [true, false]) {
      const expected = debugfsScript([
        { kind: "file", path: '/etc/a "quoted" name', exists, source: file, mode: 0o4755, ...owner },
      ]);
      const said = await call(["debugfs_change", '/etc/a "quoted" name', file, exists ? "yes" : "no"]);
      // a folder may be named with a slash at its end
      expect(said.replace('cd "/etc/"', 'cd "/etc"')).toBe(expected);
    }
    const link = await call(["debugfs_change", "/etc/link", join(upper, "etc/link"), "yes"]);
    expect(link).toStartWith('rm "/etc/link"\ncd "/etc/"\nsymlink "link" "to where"\n');
    expect(link).toContain('set_inode_field "/etc/link" mode 0120777\n');
  });
});

describe("secrets in the script", () => {
  test("are the first line of a file, whatever ends it", async () => {
    const path = join(folder, "secret");
    for (const content of ["hunter22\n", "hunter22", "hunter22\r\nmore\n"]) {
      await writeFile(path, content);
      expect(await call(["password_line", "chaney", path])).toBe("chaney:hunter22\n");
    }
  });
  test("may be a derived Wi-Fi key already", async () => {
    const path = join(folder, "key");
    await writeFile(path, `${"0123456789ABCDEF".repeat(4)}\n`);
    expect(await call(["wifi_key", "home", path])).toBe(`${"0123456789abcdef".repeat(4)}\n`);
  });
  test("that cannot be read are an error", async () => {
    expect(String(await failureOf(call(["password_line", "chaney", join(folder, "none")])))).toContain(
      "No such file",
    );
  });
});
