import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockPath, readLock, writeLock } from "../../../../src/imager/lock/lock-file.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { cluster, lockedImage } from "./lock-values.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-lock-"));
  path = join(folder, "berry.lock");
});

afterEach(() => rm(folder, { recursive: true }));

test.each([
  ["/home/chaney/berry.toml", "/home/chaney/berry.lock"],
  ["/home/chaney/x.toml", "/home/chaney/x.lock"],
  ["/home/my.toml.d/a.b.toml", "/home/my.toml.d/a.b.lock"],
])("the lock of %s is %s", (file, expected) => {
  expect(lockPath(file)).toBe(expected);
});

describe("a lock file", () => {
  test("that is not there says nothing", async () => {
    expect(await readLock(path)).toBeNull();
  });
  test("is written once and read again, and nothing else stays beside it", async () => {
    expect(await writeLock(path, cluster)).toBe(true);
    expect(await readLock(path)).toEqual(cluster);
    expect(await readdir(folder)).toEqual(["berry.lock"]);
  });
  test("is not touched where it says the same", async () => {
    await writeLock(path, cluster);
    const { ino, mtimeMs } = await stat(path);
    expect(await writeLock(path, structuredClone(cluster))).toBe(false);
    expect(await stat(path)).toMatchObject({ ino, mtimeMs });
    expect(await writeLock(path, { ...cluster, pi3: lockedImage() })).toBe(true);
    expect((await stat(path)).ino).not.toBe(ino);
  });
  test("that cannot be written is an error, and the old one stays", async () => {
    await writeLock(path, cluster);
    const before = await readFile(path, "utf8");
    await mkdir(join(folder, ".berry.lock.partial"));
    const failure = await failureOf(writeLock(path, { pi1: lockedImage() }));
    expect(failure).toMatchObject({ kind: "cannot-create", message: `cannot write ${path}` });
    expect(await readFile(path, "utf8")).toBe(before);
  });
  test("that is damaged is told with its path", async () => {
    await writeFile(path, "{}\n");
    expect(await failureOf(readLock(path))).toMatchObject({
      kind: "config",
      message: expect.stringContaining(`${path}: line 1: `),
    });
  });
  test("that is a folder cannot be read", async () => {
    await mkdir(path);
    expect(await failureOf(readLock(path))).toMatchObject({ kind: "io", message: `${path}: cannot be read` });
  });
});
