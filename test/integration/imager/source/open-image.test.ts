import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readSync } from "node:fs";
import {
  link,
  mkdir,
  open as openFile,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { BerryError } from "../../../../src/core/errors.ts";
import type { OpenImage } from "../../../../src/imager/source/image-map.ts";
import { openImage } from "../../../../src/imager/source/open-image.ts";
import { isChanged, stampOf } from "../../../../src/imager/source/stamp-file.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { mustRun } from "../../../fixtures/run.ts";
import { makeSparse, temporaryFolder } from "../../../fixtures/written-card.ts";

const never = new AbortController().signal;
const MiB = 1024 * 1024;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let image = "";
let content = new Uint8Array(0);

beforeAll(async () => {
  folder = await temporaryFolder();
  image = join(folder.path, "pi.img");
  await writeFile(image, "");
  await truncate(image, 40 * MiB);
  await mustRun(["sfdisk", "-q", image], { stdin: "label: dos\nstart=2048, size=16384, type=83\n" }, never);
  // bytes that do not shrink, between long runs of zeros
  const noise = new Uint8Array(3 * MiB + 4321);
  let state = 1;
  for (let at = 0; at < noise.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise[at] = state >>> 24;
  }
  const bytes = new Uint8Array(await readFile(image));
  bytes.set(noise, 9 * MiB + 77);
  bytes.set(noise, 30 * MiB);
  await writeFile(image, bytes);
  await makeSparse(image, never);
  content = bytes;
  for (const argv of [
    ["xz", "-k", "-T2", "--block-size=2MiB", "-1", image],
    ["zstd", "-q", "-k", image],
    ["gzip", "-k", "-1", image],
    ["sh", "-c", 'zstd -q -c < "$1" > "$1.streamed.zst"', "sh", image],
    ["pzstd", "-q", "-p", "2", "-k", image, "-o", `${image}.parallel.zst`],
    ["bmaptool", "create", "-o", join(folder.path, "own.bmap"), image],
  ])
    await mustRun(argv, {}, never);
});
afterAll(async () => await folder[Symbol.asyncDispose]());

async function contentOf(opened: OpenImage): Promise<Uint8Array> {
  const bytes = new Uint8Array(opened.map.sizeBytes);
  let position = 0;
  while (position < bytes.length) {
    await opened.moreThan(position, never);
    const available = opened.availableBytes();
    expect(available).toBeGreaterThan(position);
    while (position < available)
      position += readSync(opened.fileDescriptor, bytes, position, available - position, position);
  }
  return bytes;
}

async function open(path: string, bmap: string | null = null, signal = never): Promise<OpenImage> {
  return await openImage(path, { bmap }, signal);
}

async function refusalOf(path: string, bmap: string | null = null): Promise<BerryError> {
  const openWhole = async (): Promise<void> => {
    await using opened = await open(path, bmap);
    await opened.moreThan(Infinity, never);
  };
  const failure = await failureOf(openWhole());
  if (failure instanceof BerryError) return failure;
  throw new Error("the image was accepted", { cause: failure });
}

describe.each([
  ["xz", "pi.img.xz"],
  ["zstd", "pi.img.zst"],
  ["gzip, whose size nobody tells", "pi.img.gz"],
  ["zstd, streamed without a size", "pi.img.streamed.zst"],
  ["pzstd, whose first frame is no zstd", "pi.img.parallel.zst"],
])("packed by %s", (_, name) => {
  test("it gives the same bytes, to several readers as it grows", async () => {
    await using opened = await open(join(folder.path, name));
    expect(opened.map.sizeBytes).toBe(content.length);
    expect(opened.map.from).toBe("everything");
    expect(opened.map.partitions).toEqual([{ offsetBytes: MiB, lengthBytes: 8 * MiB }]);
    const [one, other] = await Promise.all([contentOf(opened), contentOf(opened)]);
    expect(Buffer.compare(one, content)).toBe(0);
    expect(Buffer.compare(other, content)).toBe(0);
    // long runs of zeros take no room
    const { blocks, size } = await stat(`/proc/self/fd/${opened.fileDescriptor}`);
    expect(size).toBe(content.length);
    expect(blocks * 512).toBeLessThan(10 * MiB);
  });

  test("it is known by its first bytes, not by its name", async () => {
    const other = join(folder.path, "named-otherwise.img");
    await mustRun(["cp", join(folder.path, name), other], {}, never);
    await using opened = await open(other);
    expect(opened.map.sizeBytes).toBe(content.length);
  });

  test("it is refused when it is cut short", async () => {
    const path = join(folder.path, `cut-${name}`);
    const packed = await readFile(join(folder.path, name));
    await writeFile(path, packed.subarray(0, Math.floor(packed.length * 0.7)));
    const refusal = await refusalOf(path);
    expect(refusal.kind).toBe("bad-data");
    expect(refusal.message).toStartWith(`cannot decompress ${path}`);
  });

  test("it is refused when a byte in its midst is wrong", async () => {
    const path = join(folder.path, `wrong-${name}`);
    const packed = await readFile(join(folder.path, name));
    packed.fill(0x55, packed.length >> 1, (packed.length >> 1) + 16);
    await writeFile(path, packed);
    const refusal = await refusalOf(path);
    expect(refusal.kind).toBe("bad-data");
    expect(refusal.message).toStartWith(`cannot decompress ${path}`);
  });
});

test("who waits for an image whose size nobody tells hears how far it is", async () => {
  const heard: number[] = [];
  const tell = (bytes: number): void => void heard.push(bytes);
  await using opened = await openImage(`${image}.gz`, { bmap: null, tell }, never);
  expect(opened.availableBytes()).toBe(content.length);
  expect(heard.length).toBeGreaterThan(1);
  expect(heard).toEqual(heard.toSorted((one, other) => one - other));
  expect(heard.at(-1)).toBe(content.length);
});

test("a plain image is the file itself, with its holes", async () => {
  await using opened = await open(image);
  expect(opened.map.from).toBe("holes");
  expect(opened.map.data.length).toBeGreaterThan(1);
  expect(opened.availableBytes()).toBe(content.length);
  expect(Buffer.compare(await contentOf(opened), content)).toBe(0);
});

test("an image that is replaced while it is open stays what it was", async () => {
  const path = join(folder.path, "replaced.img");
  await mustRun(["cp", image, path], {}, never);
  await using opened = await open(path);
  await writeFile(`${path}.new`, "other");
  await rename(`${path}.new`, path);
  expect(Buffer.compare(await contentOf(opened), content)).toBe(0);
});

describe("a block map", () => {
  test("of bmaptool is found beside a packed image, and believed", async () => {
    const at = join(folder.path, "beside");
    await mkdir(at);
    await mustRun(["cp", `${image}.xz`, at], {}, never);
    for (const name of ["pi.img.bmap", "pi.img.xz.bmap", "pi.bmap"]) {
      await mustRun(["cp", join(folder.path, "own.bmap"), join(at, name)], {}, never);
      await using opened = await open(join(at, "pi.img.xz"), "find");
      expect(opened.map.from).toBe("bmap");
      expect(opened.map.zeros).toEqual([]);
      expect(opened.map.data.every(({ sha256 }) => sha256?.length === 64)).toBeTrue();
      await mustRun(["rm", join(at, name)], {}, never);
    }
    await using without = await open(join(at, "pi.img.xz"), "find");
    expect(without.map.from).toBe("everything");
  });

  test("that is older than its plain image is left alone, unless it is named", async () => {
    const at = join(folder.path, "stale");
    await mkdir(at);
    const [copy, bmap] = [join(at, "pi.img"), join(at, "pi.img.bmap")];
    await mustRun(["cp", image, copy], {}, never);
    await mustRun(["cp", join(folder.path, "own.bmap"), bmap], {}, never);
    await using fresh = await open(copy, "find");
    expect(fresh.map.from).toBe("bmap");
    await utimes(bmap, 1, 1);
    await using stale = await open(copy, "find");
    expect(stale.map.from).toBe("holes");
    await using named = await open(copy, bmap);
    expect(named.map.from).toBe("bmap");
  });

  test("of another image is refused before a byte is decompressed", async () => {
    const other = join(folder.path, "other.img");
    await writeFile(other, "");
    await truncate(other, 8 * MiB);
    await mustRun(["bmaptool", "create", "-o", `${other}.bmap`, other], {}, never);
    for (const name of ["", ".xz", ".zst"]) {
      const refusal = await refusalOf(`${image}${name}`, `${other}.bmap`);
      expect(refusal.kind).toBe("bad-data");
      expect(refusal.message).toContain(`is of an image of ${8 * MiB} bytes`);
    }
    expect((await refusalOf(`${image}.gz`, `${other}.bmap`)).message).toContain("holds more than");
  });

  test("that is missing where it was named is told", async () => {
    expect((await refusalOf(image, "/nonexistent/x.bmap")).kind).toBe("no-input");
  });

  test("with SHA-1 is checked as the image is opened", async () => {
    const sums = await mustRun(["python3", "-c", oldBmap, image, join(folder.path, "old.bmap")], {}, never);
    expect(sums).toBe("");
    for (const name of ["", ".gz"]) {
      await using opened = await open(`${image}${name}`, join(folder.path, "old.bmap"));
      expect(opened.map.data).toEqual([
        { offsetBytes: 0, lengthBytes: 4096, sha256: null },
        { offsetBytes: 9 * MiB, lengthBytes: 4 * MiB, sha256: null },
      ]);
    }
    const changed = join(folder.path, "changed.img");
    await writeFile(changed, Uint8Array.from(content).fill(1, 10 * MiB, 10 * MiB + 1));
    const refusal = await refusalOf(changed, join(folder.path, "old.bmap"));
    expect(refusal.message).toContain("is not what");
    expect(refusal.message).toContain("sha1");
  });
});

/** A block map of format 1.3, which today's bmaptool does not write any more. */
const oldBmap = `
import hashlib, sys
image = open(sys.argv[1], "rb").read()
def range_(first, last):
    return '<Range sha1="%s"> %d-%d </Range>' % (hashlib.sha1(image[first*4096:(last+1)*4096]).hexdigest(), first, last)
zero = "0" * 40
text = '<bmap version="1.3"><ImageSize> %d </ImageSize><BlockSize> 4096 </BlockSize><BlocksCount> %d </BlocksCount><MappedBlocksCount> 1025 </MappedBlocksCount><BmapFileSHA1> %s </BmapFileSHA1><BlockMap>%s%s</BlockMap></bmap>' % (len(image), len(image) // 4096, zero, range_(0, 0), range_(9*256, 13*256-1))
open(sys.argv[2], "w").write(text.replace(zero, hashlib.sha1(text.encode()).hexdigest()))
`;

describe("what is no image", () => {
  test.each([
    ["a folder", "no-input", async (path: string) => await mkdir(path)],
    ["nothing at all", "no-input", async () => {}],
    ["an empty file", "bad-data", async (path: string) => await writeFile(path, "")],
    ["a pipe", "no-input", async (path: string) => await mustRun(["mkfifo", path], {}, never)],
    ["a zip archive", "bad-data", async (path: string) => await writeFile(path, "PK\u0003\u0004 and more")],
    [
      "an empty gzip",
      "bad-data",
      async (path: string) => await writeFile(path, Bun.gzipSync(new Uint8Array())),
    ],
  ] as const)("%s is refused", async (what, kind, make) => {
    const path = join(folder.path, what.replaceAll(" ", "-"));
    await make(path);
    const refusal = await refusalOf(path);
    expect(refusal.kind).toBe(kind);
    expect(refusal.message).toContain(path);
  });
});

describe("the decompressor", () => {
  /** Children of this very process that run xz. */
  async function decompressors(parent: number): Promise<number[]> {
    const text = await mustRun(["ps", "-eo", "pid=,ppid=,comm="], {}, never);
    return text
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, ppid, name]) => Number(ppid) === parent && name === "xz")
      .map(([pid]) => Number(pid));
  }

  /** Large enough that it is at work for some time, and small: it cannot be done before it is looked at. */
  async function largeImage(): Promise<string> {
    const path = join(folder.path, "large.img.xz");
    if ((await stat(path).catch(() => null)) === null)
      await mustRun(["sh", "-c", 'head -c 6G /dev/zero | xz -0 -T2 > "$1"', "sh", path], {}, never);
    return path;
  }

  test("ends when the image is disposed of", async () => {
    const opened = await open(await largeImage());
    expect(await decompressors(process.pid)).toHaveLength(1);
    await opened[Symbol.asyncDispose]();
    expect(await decompressors(process.pid)).toEqual([]);
  });

  test("ends when the signal is aborted, and whoever waits is told", async () => {
    const stop = new AbortController();
    await using opened = await open(await largeImage(), null, stop.signal);
    const waiting = failureOf(opened.moreThan(Infinity, never));
    stop.abort(new BerryError("interrupted", "stopped"));
    const failure = await waiting;
    expect(failure instanceof BerryError && failure.kind).toBe("interrupted");
    expect(await decompressors(process.pid)).toEqual([]);
  });

  test("ends with a berry that is killed, and nothing of the image is left", async () => {
    const scratch = join(folder.path, "scratch");
    await mkdir(scratch);
    const child = Bun.spawn(
      [
        process.execPath,
        resolve(import.meta.dir, "../../../fixtures/open-image.fixture.ts"),
        await largeImage(),
      ],
      { env: { ...process.env, TMPDIR: scratch }, stdout: "pipe", stderr: "inherit" },
    );
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(`open ${6 * 1024 * MiB}\n`);
    expect(await readdir(scratch)).toEqual([]);
    const [decompressor = 0] = await decompressors(child.pid);
    expect(decompressor).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await child.exited;
    // its pipe is broken: it ends with the next write
    const gone = `while grep -q '^State:.[^Z]' /proc/${decompressor}/status 2>&-; do sleep 0.05; done`;
    await mustRun(["sh", "-c", gone], {}, never);
    expect(await readdir(scratch)).toEqual([]);
  });
});

test("a block map beside the image that is older than it is told of, and not used", async () => {
  const path = join(folder.path, "anew.img");
  await mustRun(["cp", image, path], {}, never);
  await mustRun(["cp", join(folder.path, "own.bmap"), `${path}.bmap`], {}, never);
  const older: string[] = [];
  const from = async () => {
    await using opened = await openImage(
      path,
      { bmap: "find", warn: (message) => void older.push(message) },
      never,
    );
    return opened.map.from;
  };
  await mustRun(["touch", "--date=@1000000000", path], {}, never);
  expect({ from: await from(), older }).toEqual({ from: "bmap", older: [] });
  await mustRun(["touch", "--date=@999999999", `${path}.bmap`], {}, never);
  expect({ from: await from(), older }).toEqual({
    from: "holes",
    older: [`${path}.bmap is older than the image, and not used`],
  });
});

interface Heard {
  readonly message: string;
  readonly hint: string;
}

/** What is warned of as an image is opened, and whole. */
async function warningsOf(path: string, bmap: string | null = null): Promise<readonly Heard[]> {
  const heard: Heard[] = [];
  const warn = (message: string, hint: string): void => void heard.push({ message, hint });
  await using opened = await openImage(path, { bmap, warn }, never);
  await opened.moreThan(Infinity, never);
  return heard;
}

async function fresh(name: string): Promise<string> {
  const at = join(folder.path, name);
  await mkdir(at);
  return at;
}

describe("what a name or the bytes belie", () => {
  test.each([".xz", ".zst", ".gz", ".lzma", ".bz2", ".lz4", ".zip", ".XZ"])(
    "a page of a web server that is named %s is no plain image",
    async (ending) => {
      const path = join(folder.path, `page.img${ending}`);
      await writeFile(path, "<!DOCTYPE html><html>404</html>");
      const refusal = await refusalOf(path);
      expect(refusal.kind).toBe("bad-data");
      expect(refusal.message).toBe(
        `${path} is named ${ending}, but nothing packed: it begins with 3c21444f43545950`,
      );
      expect(refusal.hint).toContain("get it again");
    },
  );

  test("a plain image that is named as a packed one is refused, too", async () => {
    const path = join(folder.path, "plain.img.xz");
    await mustRun(["cp", image, path], {}, never);
    expect((await refusalOf(path)).message).toContain("is named .xz, but nothing packed");
  });

  test("a tar archive is refused, plain and packed, and it is told what makes an image of one", async () => {
    const at = await fresh("tar");
    const files = ["--use-compress-program", "gzip -1", "-C", folder.path, "own.bmap"];
    await mustRun(["tar", "-cf", join(at, "rootfs.tar"), ...files.slice(2)], {}, never);
    await mustRun(["tar", "-cf", join(at, "rootfs.tar.gz"), ...files], {}, never);
    await mustRun(["xz", "-k", join(at, "rootfs.tar")], {}, never);
    await mustRun(["zstd", "-qk", join(at, "rootfs.tar")], {}, never);
    await mustRun(["cp", join(at, "rootfs.tar"), join(at, "rootfs.img")], {}, never);
    for (const name of await readdir(at)) {
      const refusal = await refusalOf(join(at, name));
      expect(refusal.kind).toBe("bad-data");
      expect(refusal.message).toContain("a tar archive");
      expect(refusal.hint).toContain("berry imager bake");
    }
  });

  test("an image that is packed twice is refused", async () => {
    const path = join(folder.path, "twice.img.xz.gz");
    await mustRun(["sh", "-c", 'gzip -c "$1" > "$2"', "sh", `${image}.xz`, path], {}, never);
    expect((await refusalOf(path)).message).toContain("is packed twice, by xz within");
  });
});

describe("an image that was cut short", () => {
  const lengthBytes = 5 * MiB;

  test("is refused by its partition table, plain and packed", async () => {
    const at = await fresh("cut");
    const path = join(at, "cut.img");
    await writeFile(path, content.subarray(0, lengthBytes));
    for (const argv of [
      ["xz", "-k", path],
      ["zstd", "-qk", path],
      ["gzip", "-k", path],
    ])
      await mustRun(argv, {}, never);
    for (const name of await readdir(at)) {
      const refusal = await refusalOf(join(at, name));
      expect(refusal.kind).toBe("bad-data");
      expect(refusal.message).toBe(
        `${join(at, name)} ends at byte ${lengthBytes}, but its partition table reaches byte ${9 * MiB}: it was cut short`,
      );
    }
  });

  test("is refused so with a block map as well, be it of the whole image or of the cut one", async () => {
    const at = await fresh("cut-map");
    const path = join(at, "cut.img");
    await writeFile(path, content.subarray(0, lengthBytes));
    await mustRun(["bmaptool", "create", "-o", join(at, "cut.bmap"), path], {}, never);
    await mustRun(["gzip", "-k", path], {}, never);
    for (const [name, bmap] of [
      [path, join(folder.path, "own.bmap")],
      [path, join(at, "cut.bmap")],
      [`${path}.gz`, join(at, "cut.bmap")],
    ] as const)
      expect((await refusalOf(name, bmap)).message).toContain("it was cut short");
  });

  test("is refused when its table is a GPT, whose protective entry may reach where it likes", async () => {
    const path = join(folder.path, "gpt.img");
    await writeFile(path, "");
    await truncate(path, 40 * MiB);
    const table = "label: gpt\nstart=2048, size=8192\nstart=10240, size=20480\n";
    await mustRun(["sfdisk", "-q", path], { stdin: table }, never);
    await truncate(path, 20 * MiB);
    expect(await warningsOf(path)).toEqual([]);
    await truncate(path, 15 * MiB - 512);
    expect((await refusalOf(path)).message).toContain(`reaches byte ${15 * MiB}: it was cut short`);
    await truncate(path, 512);
    expect((await refusalOf(path)).message).toContain("it was cut short");
  });

  test("is whole when what was left out is not the file system's", async () => {
    const path = join(folder.path, "openwrt.img");
    await writeFile(path, content.subarray(0, lengthBytes));
    const offset = ["-E", `offset=${MiB}`];
    await mustRun(["mke2fs", "-q", "-F", "-t", "ext4", ...offset, path, "3072k"], {}, never);
    expect(await warningsOf(path)).toEqual([]);
    await truncate(path, 4 * MiB - 1);
    expect((await refusalOf(path)).message).toContain("it was cut short");
  });
});

describe("an image that looks like none", () => {
  test("is warned of: neither a partition table nor a file system", async () => {
    const path = join(folder.path, "strange.img");
    await writeFile(path, new Uint8Array(1000));
    const [heard, ...more] = await warningsOf(path);
    expect(heard?.message).toBe(
      `${path} has neither a partition table nor a file system that berry knows: it may be no image of a disk`,
    );
    expect(heard?.hint).toBe(`see what it is: file ${path}`);
    expect(more).toEqual([]);
  });

  test("is not warned of where a file system fills it, or a table is there", async () => {
    const path = join(folder.path, "fat.img");
    await writeFile(path, "");
    await truncate(path, 8 * MiB);
    await mustRun(["mkfs.vfat", path], {}, never);
    expect(await warningsOf(path)).toEqual([]);
    await mustRun(["mke2fs", "-q", "-F", path], {}, never);
    expect(await warningsOf(path)).toEqual([]);
    expect(await warningsOf(image)).toEqual([]);
    expect(await warningsOf(`${image}.gz`)).toEqual([]);
  });
});

test("bytes behind the end of a gzip stream are left out, and told of", async () => {
  const path = join(folder.path, "followed.img.gz");
  await writeFile(path, Buffer.concat([await readFile(`${image}.gz`), Buffer.from('{ "metadata": 1 }')]));
  const heard = await warningsOf(path);
  expect(heard.map(({ message }) => message)).toEqual([
    `${path} has more bytes behind the end of its gzip stream: they are left out`,
  ]);
  await using opened = await open(path);
  expect(Buffer.compare(await contentOf(opened), content)).toBe(0);
});

test("an open image knows how its file was when it was opened, but a nameless one needs not", async () => {
  const path = join(folder.path, "stamped.img");
  await mustRun(["cp", image, path], {}, never);
  await using opened = await open(path);
  const { stamp } = opened;
  if (stamp === null) throw new Error("no stamp");
  expect(isChanged(opened.fileDescriptor, stamp)).toBeFalse();
  await link(path, `${path}.other`);
  expect(isChanged(opened.fileDescriptor, stamp)).toBeFalse();
  await rm(`${path}.other`);
  const before = stampOf(opened.fileDescriptor);
  await mustRun(["touch", "-r", path, `${path}.time`], {}, never);
  await using file = await openFile(path, "r+");
  await file.write(Uint8Array.of(1), 0, 1, 5 * MiB);
  await mustRun(["touch", "-r", `${path}.time`, path], {}, never);
  expect(stampOf(opened.fileDescriptor).modifiedNanoseconds).toBe(before.modifiedNanoseconds);
  expect(isChanged(opened.fileDescriptor, before)).toBeTrue();
  await using packed = await open(`${image}.xz`);
  expect(packed.stamp).toBeNull();
});
