import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, futimesSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openImage } from "../../../src/imager/source/open-image.ts";
import { clusterText } from "../../fixtures/cluster-text.ts";
import { mustRun, plainEnvironment } from "../../fixtures/run.ts";
import { exampleTree, makeSparse, temporaryFolder } from "../../fixtures/written-card.ts";

const signal = new AbortController().signal;
const MiB = 1024 * 1024;
const main = resolve(import.meta.dir, "../../../src/main.ts");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let images = "";
let image = "";

beforeAll(async () => {
  folder = await temporaryFolder();
  const text = clusterText({ nodes: ['name = "pi1"', 'name = "pi2"'] }).replace(/"\.\/(\S+)\.toml"/, '"$1"');
  await writeFile(join(folder.path, "berry.toml"), text);
  await writeFile(join(folder.path, "password"), "secret\n", { mode: 0o600 });
  images = join(folder.path, "images");
  await mkdir(images);
  image = join(images, "pi1.img");
  await writeFile(image, "");
  await truncate(image, 96 * MiB);
  const table =
    "label: dos\nunit: sectors\nstart=8192, size=32768, type=c\nstart=40960, size=131072, type=83\n";
  await mustRun(["sfdisk", "-q", image], { stdin: table }, signal);
  await mustRun(["mkfs.vfat", "-F", "16", "--offset=8192", image, "16384"], {}, signal);
  const tree = await exampleTree(folder.path);
  // so much that cannot be packed quickly that there is time to stop it
  await mustRun(["sh", "-c", 'head -c 24M /dev/urandom > "$1/noise"', "sh", tree], {}, signal);
  const place = ["-E", `offset=${40_960 * 512}`, image, "65536k"];
  await mustRun(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, ...place], {}, signal);
  await makeSparse(image, signal);
});
afterAll(async () => await folder[Symbol.asyncDispose]());

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return Bun.spawn([process.execPath, main, "imager", "export", ...words], {
    cwd: folder.path,
    env: { ...plainEnvironment(folder.path), ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function berry(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = start(words, env);
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

async function output(name: string): Promise<string> {
  const path = join(folder.path, name);
  await mkdir(path);
  return path;
}

describe.each([
  ["xz", "pi1.img.xz", ["xz", "-dc"]],
  ["zst", "pi1.img.zst", ["zstd", "-dcq"]],
  ["img", "pi1.img", ["cat"]],
] as const)("an export as %s", (format, name, unpack) => {
  test("is the image again when it is unpacked, and when bmaptool copies it", async () => {
    const out = join(folder.path, `out-${format}`);
    const { stdout, stderr, exitCode } = await berry(["pi1", "--format", format, "--output", out, "--json"]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("hold the nodes' secrets")]);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      event: "exported",
      node: "pi1",
      image: join(out, name),
      bmap: join(out, "pi1.img.bmap"),
      sizeBytes: 96 * MiB,
    });
    expect((await readdir(out)).toSorted()).toEqual([name, "pi1.img.bmap"].toSorted());
    for (const file of await readdir(out)) expect((await stat(join(out, file))).mode & 0o777).toBe(0o600);

    const unpacked = join(folder.path, `unpacked-${format}`);
    await mustRun(
      ["sh", "-c", '"$@" > "$OUT"', "sh", ...unpack, join(out, name)],
      { env: { OUT: unpacked } },
      signal,
    );
    await mustRun(["cmp", unpacked, image], {}, signal);
    const copied = join(folder.path, `copied-${format}`);
    await mustRun(["bmaptool", "copy", join(out, name), copied], {}, signal);
    await mustRun(["cmp", copied, image], {}, signal);
  });

  test("tells its size before it is unpacked, and its block map is found and says what the image's holes say", async () => {
    const path = join(folder.path, `out-${format}`, name);
    await using exported = await openImage(path, { bmap: "find" }, signal);
    expect(exported.map.from).toBe("bmap");
    expect(exported.map.data.every(({ sha256 }) => sha256 !== null)).toBeTrue();
    await using original = await openImage(image, { bmap: null }, signal);
    const covered = new Uint8Array(96 * 256);
    for (const { offsetBytes, lengthBytes } of exported.map.data)
      covered.fill(1, offsetBytes / 4096, (offsetBytes + lengthBytes) / 4096);
    expect(covered.includes(0)).toBeTrue();
    for (const { offsetBytes, lengthBytes } of [...original.map.data, ...original.map.zeros]) {
      const blocks = covered.subarray(
        Math.floor(offsetBytes / 4096),
        Math.ceil((offsetBytes + lengthBytes) / 4096),
      );
      expect(blocks.includes(0)).toBeFalse();
    }
    await using withoutMap = await openImage(path, { bmap: null }, signal);
    expect(withoutMap.map.sizeBytes).toBe(96 * MiB);
  });
});

test("a block map that was changed is noticed by bmaptool", async () => {
  const out = join(folder.path, "out-img");
  const text = await readFile(join(out, "pi1.img.bmap"), "utf8");
  const changed = join(folder.path, "changed.bmap");
  await writeFile(changed, text.replace(/> 0(-\d+)? </, "> 1 <"));
  const copy = mustRun(
    ["bmaptool", "copy", "--bmap", changed, join(out, "pi1.img"), join(folder.path, "no")],
    {},
    signal,
  );
  expect(await copy.catch(() => "refused")).toBe("refused");
});

/** Begins an export that takes its time, and calls `act` when the packer is at work. */
async function whilePacking(out: string, act: (child: ReturnType<typeof start>) => void): Promise<number> {
  const child = start(["pi1", "--level", "9", "--json", "--output", out]);
  let text = "";
  let isDone = false;
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (isDone || !text.includes('"packing"')) continue;
    isDone = true;
    expect((await readdir(out)).some((name) => name.endsWith(".partial"))).toBeTrue();
    act(child);
  }
  expect(text).not.toContain('"exported"');
  return await child.exited;
}

test("progress is told when there is some", async () => {
  const { stdout } = await berry(["pi1", "--output", join(folder.path, "out-told"), "--json"]);
  const lines = stdout.trim().split("\n");
  expect(lines.length).toBeGreaterThan(2);
  expect(new Set(lines).size).toBe(lines.length);
});

test("an image that is written to while it is exported is refused, and what was there stays", async () => {
  const out = await output("changed");
  await writeFile(join(out, "pi1.img.xz"), "earlier");
  const before = await stat(image);
  const exitCode = await whilePacking(out, () => {
    const file = openSync(image, "r+");
    writeSync(file, new Uint8Array(1), 0, 1, 95 * MiB);
    futimesSync(file, before.atime, before.mtime);
    closeSync(file);
  });
  expect(exitCode).toBe(65);
  expect(await readdir(out)).toEqual(["pi1.img.xz"]);
  expect(await readFile(join(out, "pi1.img.xz"), "utf8")).toBe("earlier");
});

test("an image of another format that is of an earlier bake is told of by name", async () => {
  const out = join(folder.path, "formats");
  const told = async (format: string): Promise<string> => {
    const { exitCode, stderr } = await berry(["pi1", "--format", format, "--level", "1", "--output", out]);
    expect(exitCode).toBe(0);
    return stderr;
  };
  expect(await told("xz")).not.toContain("earlier bake");
  expect(await told("zst")).not.toContain("earlier bake");
  const later = new Date(Date.now() + 1000);
  await utimes(image, later, later);
  const warned = await told("zst");
  expect(warned).toContain(`${join(out, "pi1.img.xz")} is of an earlier bake`);
  expect(warned).toContain("export it again, or remove it");
  expect(warned).not.toContain("pi1.img.zst is of");
  // the folder of the images: NODE.img itself is not another one
  await utimes(image, new Date(1e9), new Date(1e9));
  expect(await told("zst")).not.toContain("earlier bake");
  await writeFile(join(out, "pi1.img.bmap"), "of an earlier one");
  expect(await told("zst")).toContain(`${join(out, "pi1.img.xz")} is of an earlier bake`);
  await writeFile(join(images, "pi1.img.bmap"), "of an earlier one");
  const { stderr } = await berry(["pi1", "--format", "zst", "--level", "1"]);
  expect(stderr).not.toContain("earlier bake");
  for (const ending of ["zst", "bmap"]) await rm(join(images, `pi1.img.${ending}`));
});

describe("an export that is stopped", () => {
  test("by Ctrl-C leaves what was there, and nothing else", async () => {
    const out = await output("stopped");
    await writeFile(join(out, "pi1.img.xz"), "earlier");
    await writeFile(join(out, "pi1.img.bmap"), "earlier");
    expect(await whilePacking(out, (child) => child.kill("SIGINT"))).toBe(130);
    expect((await readdir(out)).toSorted()).toEqual(["pi1.img.bmap", "pi1.img.xz"]);
    expect(await readFile(join(out, "pi1.img.xz"), "utf8")).toBe("earlier");
    expect(await readFile(join(out, "pi1.img.bmap"), "utf8")).toBe("earlier");
  });

  test("by kill -9 leaves what was there; the next one removes the rest, and ends well", async () => {
    const out = await output("killed");
    await writeFile(join(out, "pi1.img.xz"), "earlier");
    await whilePacking(out, (child) => child.kill("SIGKILL"));
    expect(await readFile(join(out, "pi1.img.xz"), "utf8")).toBe("earlier");
    expect((await berry(["pi1", "--level", "0", "--output", out])).exitCode).toBe(0);
    expect((await readdir(out)).toSorted()).toEqual(["pi1.img.bmap", "pi1.img.xz"]);
    await mustRun(["xz", "-t", join(out, "pi1.img.xz")], {}, signal);
  });
});

describe("an export is refused", () => {
  test("before anything is written when one of the nodes has not been baked", async () => {
    const { stderr, exitCode } = await berry(["--output", join(folder.path, "none")]);
    expect(exitCode).toBe(66);
    expect(stderr).toContain("pi2 has not been baked");
    expect(stderr).toContain("berry imager bake pi2");
    expect(await stat(join(folder.path, "none")).catch(() => null)).toBeNull();
  });

  test.each([
    [["pi1", "--level", "12"], "from 0 to 9, got 12"],
    [["pi1", "--format", "zst", "--level", "0"], "from 1 to 19, got 0"],
    [["pi1", "--format", "img", "--level", "3"], "nothing is packed"],
    [["pi1", "--format", "img"], "is the image itself"],
    [["pi1", "--format", "zip"], "zip"],
    [["pi9"], "has no node pi9"],
  ])("when the command line is wrong: %j", async (words, complaint) => {
    const { stderr, exitCode } = await berry(words);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(complaint)]);
  });

  test.each([
    ["1000 zeros", async (path: string) => await writeFile(path, new Uint8Array(1000)), "no image of a disk"],
    [
      "an image that was cut short",
      async (path: string) => {
        await mustRun(["cp", image, path], {}, signal);
        await truncate(path, 50 * MiB);
      },
      `reaches byte ${84 * MiB}: it was cut short`,
    ],
  ] as const)("of %s", async (_, make, complaint) => {
    const path = join(images, "pi2.img");
    const out = join(folder.path, "no-image");
    await make(path);
    const { stderr, exitCode } = await berry(["pi2", "--output", out]);
    expect([exitCode, stderr]).toEqual([65, expect.stringContaining(complaint)]);
    expect(await readdir(out)).toEqual([]);
    await rm(path);
  });

  test("when the packer is not installed", async () => {
    const { stderr, exitCode } = await berry(["pi1"], { PATH: "/nonexistent" });
    expect([exitCode, stderr]).toEqual([69, expect.stringContaining("xz-utils")]);
    expect((await readdir(images)).toSorted()).toEqual(["pi1.img"]);
  });

  test("when the folder cannot be made", async () => {
    const { stderr, exitCode } = await berry(["pi1", "--output", join(folder.path, "password/x")]);
    expect([exitCode, stderr]).toEqual([73, expect.stringContaining("cannot make the folder")]);
  });
});
