import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareCache } from "../../../src/imager/cache-folder-file.ts";
import { failureOf } from "../../fixtures/failure-of.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-cache-"));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

describe("a cache folder", () => {
  test("is made where there is none, and taken again", async () => {
    const cache = join(folder, "new");
    await prepareCache(cache);
    await prepareCache(cache);
    expect(await readFile(join(cache, "CACHEDIR.TAG"), "utf8")).toStartWith(
      "Signature: 8a477f597d28d172789f06886806bc55\n",
    );
  });

  test("is known as berry's from its tag on, so that one whose making was interrupted is taken again", async () => {
    await prepareCache(folder);
    for (const name of ["layers", "work", "downloads", "empty", "scratch"])
      await rm(join(folder, name), { recursive: true });
    expect(await failureOf(prepareCache(folder))).toBeUndefined();
  });

  test("is not a folder of somebody's files, which stay, although one is named as berry's own", async () => {
    await mkdir(join(folder, "work"));
    await writeFile(join(folder, "work/mine"), "precious");
    expect(await failureOf(prepareCache(folder))).toMatchObject({
      kind: "cannot-create",
      message: `${folder} holds files that are not berry's: no CACHEDIR.TAG`,
    });
    expect(await readFile(join(folder, "work/mine"), "utf8")).toBe("precious");
  });
});
