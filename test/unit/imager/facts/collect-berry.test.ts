import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandRunner } from "../../../../src/core/ports.ts";
import { berryForImage } from "../../../../src/imager/facts/collect-berry.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const { signal } = new AbortController();
const arm64 = new Uint8Array(64);
arm64.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
arm64[18] = 183;
const sha256 = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-facts-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A bsdtar that finds this .PKGINFO, or none. */
const archiver = (description: string | null): CommandRunner => ({
  run: async () => ({ exitCode: description === null ? 1 : 0, stdout: description ?? "", stderr: "" }),
});
const said = (changes: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ pkgname: "berry", pkgbase: "berry", pkgver: "0.1.0-1", arch: "aarch64", ...changes })
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");

interface Asked {
  readonly named: string | null;
  readonly family?: "pacman" | "apt";
  readonly description?: string | null;
  readonly bsdtar?: string | undefined;
}

const ask = ({ named, family = "pacman", description = said(), ...rest }: Asked) =>
  berryForImage(
    { berry: named, family, ownProgram: join(folder, "berry"), ownArchitecture: "x64" },
    "bsdtar" in rest ? rest.bsdtar : "/usr/bin/bsdtar",
    archiver(description),
    signal,
  );

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("the berry for images", () => {
  test("is the package that the user names, whatever the file is called, as it says itself", async () => {
    const path = await put("mine.pkg.tar.zst", "package");
    expect(await ask({ named: path })).toEqual({
      path,
      sha256: sha256("package"),
      package: { version: "0.1.0-1", architecture: "aarch64", ending: "zst" },
    });
  });
  test("is the program beside the running one, and never a package that nobody named", async () => {
    await put("berry-0.1.0-1-aarch64.pkg.tar.zst", "package");
    expect(await ask({ named: null })).toBeNull();
    const path = await put("berry-aarch64", arm64);
    expect(await ask({ named: null })).toEqual({ path, sha256: sha256(arm64), package: null });
  });
  test.each<[string, string | null, string]>([
    ["another program's", said({ pkgname: "vim" }), "it is vim"],
    ["one for another architecture", said({ arch: "x86_64" }), "it is for x86_64"],
    [
      "one whose version is no file's name",
      said({ pkgver: "../../etc/1-1" }),
      "its version is ../../etc/1-1",
    ],
    ["none at all", null, "has no .PKGINFO that could be read"],
  ])("is no package that is %s", async (_, description, message) => {
    const path = await put("mine.pkg.tar.zst", "package");
    const failure = await failureOf(ask({ named: path, description }));
    expect(failure).toMatchObject({ kind: "bad-data" });
    expect(String(failure)).toContain(message);
  });
  test("is no package for a target without pacman", async () => {
    const path = await put("mine.pkg.tar.xz", "package");
    expect(await failureOf(ask({ named: path, family: "apt" }))).toMatchObject({ kind: "usage" });
  });
  test("cannot be read where there is none, or where what reads packages is missing", async () => {
    const missing = join(folder, "missing.pkg.tar.zst");
    expect(await failureOf(ask({ named: missing }))).toMatchObject({ kind: "no-input" });
    const path = await put("mine.pkg.tar.zst", "package");
    expect(await failureOf(ask({ named: path, bsdtar: undefined }))).toMatchObject({ kind: "unavailable" });
    expect(await failureOf(ask({ named: await put("text", "text") }))).toMatchObject({ kind: "bad-data" });
  });
});
