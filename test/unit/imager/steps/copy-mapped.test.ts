import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataExtents } from "../../../../src/imager/source/open-holes.ts";
import { copyMapped } from "../../../../src/imager/steps/copy-mapped.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const { signal } = new AbortController();
const mebibyte = 1024 * 1024;
let folder: string;
let sparse: string;

/** A mebibyte of noise, a hole, a mebibyte of zeros that are written, a hole, noise, a hole. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-copy-"));
  sparse = join(folder, "sparse");
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  await using file = await open(sparse, "w");
  for (let at = 0; at < mebibyte; at += noise.length) await file.write(noise, 0, noise.length, at);
  await file.write(new Uint8Array(mebibyte), 0, mebibyte, 4 * mebibyte);
  await file.write(noise, 0, noise.length, 20 * mebibyte);
  await file.truncate(40 * mebibyte);
});
afterAll(() => rm(folder, { recursive: true }));

async function extentsOf(path: string) {
  await using file = await open(path, "r");
  return dataExtents(file.fd, (await file.stat()).size);
}

describe("a copy of an image", () => {
  test("has its bytes, and its holes where they are: zeros that are written are none", async () => {
    const copy = join(folder, "copy");
    await copyMapped(sparse, copy, signal);
    expect((await readFile(copy)).equals(await readFile(sparse))).toBe(true);
    expect(await extentsOf(copy)).toEqual(await extentsOf(sparse));
    expect((await extentsOf(copy)).map(({ offsetBytes }) => offsetBytes / mebibyte)).toContain(4);
  });
  test("can be read by its owner alone", async () => {
    const copy = join(folder, "private");
    await copyMapped(sparse, copy, signal);
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
  });
  test("does not replace what is there", async () => {
    expect(await failureOf(copyMapped(sparse, sparse, signal))).toMatchObject({ code: "EEXIST" });
  });
  test("ends when it is told to", async () => {
    const told = AbortSignal.abort(new Error("told to"));
    expect(String(await failureOf(copyMapped(sparse, join(folder, "aborted"), told)))).toContain("told to");
  });
});
