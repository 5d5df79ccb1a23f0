import { describe, expect, test } from "bun:test";
import * as openpgp from "openpgp";
import { readdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BerryError } from "../../../../src/core/errors.ts";
import { shippedTargets } from "../../../../src/imager/targets/shipped-targets.ts";
import { loadTarget } from "../../../../src/imager/targets/targets-load.ts";
import {
  listTargets,
  parseTarget,
  shippedTarget,
  shippedTargetNames,
} from "../../../../src/imager/targets/targets.ts";

const folder = join(import.meta.dir, "../../../../targets");

function contentOf(name: string): Record<string, unknown> {
  return structuredClone(shippedTargets[name]?.content) as Record<string, unknown>;
}

function refusal(act: () => unknown): BerryError {
  try {
    act();
  } catch (error) {
    if (error instanceof BerryError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("the targets that are part of berry", () => {
  test("are all the files of targets/, each under its own name", async () => {
    const files = (await readdir(folder)).filter((file) => file.endsWith(".toml"));
    expect(files.map((file) => file.replace(/\.toml$/, "")).toSorted()).toEqual([...shippedTargetNames()]);
    expect(listTargets().map(({ target }) => target.name)).toEqual([...shippedTargetNames()]);
  });

  test("carry the public key that they pin", async () => {
    const signed = listTargets().filter(({ target }) => target.family === "pacman");
    expect(signed).not.toBeEmpty();
    for (const { target, signingKey } of signed) {
      if (target.family !== "pacman" || signingKey === null || !("armoured" in signingKey))
        throw new Error(target.name);
      const key = await openpgp.readKey({ armoredKey: signingKey.armoured });
      expect(key.getFingerprint().toUpperCase()).toBe(target.rootfs.signing_key);
      await key.verifyPrimaryKey();
      await key.getSigningKey();
    }
  });

  test("an unknown name is answered with the nearest one", () => {
    const error = refusal(() => shippedTarget("debian-amr64"));
    expect(error.kind).toBe("config");
    expect(error.message).toBe('unknown target "debian-amr64"');
    expect(error.hint).toContain("did you mean debian-arm64?");
    expect(refusal(() => shippedTarget("toString")).message).toBe('unknown target "toString"');
  });
});

describe("validating a target file", () => {
  test("fills in what may be left out", () => {
    const content = contentOf("debian-arm64");
    delete (content["packages"] as Record<string, unknown>)["wifi"];
    expect(parseTarget("mine.toml", content).packages.wifi).toEqual([]);
  });

  test("reports every problem at once, each with file, key, what was found and what to do", () => {
    const content = contentOf("archlinuxarm-rpi-aarch64");
    Object.assign(content["boot"] as object, { size_mib: 8, mount: "/efi" });
    Object.assign(content["packages"] as object, { base: ["sudo", 7], kernle: [] });
    Object.assign(content["rootfs"] as object, { signing_key: "68b3", url: "ftp://x/y" });
    delete content["description"];
    expect(
      refusal(() => parseTarget("mine.toml", content))
        .message.split("\n")
        .toSorted(),
    ).toEqual([
      'mine.toml: boot.mount: not one of the choices, got "/efi"; use "/boot" or "/boot/firmware"',
      "mine.toml: boot.size_mib: too small, got 8; use 64 or more",
      "mine.toml: description: missing; add it: a string between quotes",
      "mine.toml: packages.base[#2]: of the wrong type, got 7; write a string between quotes",
      "mine.toml: packages.kernle: unknown key; did you mean kernel?",
      'mine.toml: rootfs.signing_key: not what it should be, got "68b3"; use 40 upper-case hexadecimal digits',
      'mine.toml: rootfs.url: not what it should be, got "ftp://x/y"; use an http or https address',
    ]);
  });

  test("an unknown family is answered with the known ones", () => {
    const content = { ...contentOf("debian-arm64"), family: "rpm" };
    expect(refusal(() => parseTarget("mine.toml", content)).message).toBe(
      'mine.toml: family: not one of the choices, got "rpm"; use "pacman" or "apt"',
    );
  });

  test("a tarball has one key: a file or an address", () => {
    const content = contentOf("archlinuxarm-rpi-aarch64");
    Object.assign(content["rootfs"] as object, { signing_key_url: "https://keys.test/68B3" });
    expect(refusal(() => parseTarget("mine.toml", content)).message).toContain(
      "rootfs: incomplete or contradictory; give either signing_key_file or signing_key_url",
    );
  });
});

describe("a target file of the user's", () => {
  const toml = (rootfs: string) => `
name = "mine"
description = "mine"
architecture = "aarch64"
family = "pacman"
boot = { mount = "/boot", size_mib = 256 }
packages = {}
services = {}
users = {}
pacman = { mirror = "http://mirror.test/$arch/$repo", repositories = ["core"], keyring = "archlinuxarm" }
[rootfs]
url = "http://mirror.test/rootfs.tar.gz"
signing_key = "68B3537F39A313B3E574D06777193F152BDBE6A6"
${rootfs}
`;

  async function inFolder(
    files: Readonly<Record<string, string>>,
    act: (folder: string) => Promise<void>,
  ): Promise<void> {
    const path = await mkdtemp(join(tmpdir(), "berry-targets-"));
    try {
      for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
      await act(path);
    } finally {
      await rm(path, { recursive: true });
    }
  }

  test("is read by its path, with the key file beside it", async () => {
    await inFolder({ "mine.toml": toml('signing_key_file = "my.asc"'), "my.asc": "a key" }, async (path) => {
      const { target, signingKey } = await loadTarget(join(path, "mine.toml"));
      expect(target.name).toBe("mine");
      expect(signingKey).toEqual({ armoured: "a key" });
    });
  });

  test("may name an address for the key instead", async () => {
    await inFolder({ "mine.toml": toml('signing_key_url = "https://keys.test/68B3"') }, async (path) => {
      expect((await loadTarget(join(path, "mine.toml"))).signingKey).toEqual({
        url: "https://keys.test/68B3",
      });
    });
  });

  test("names the key file that is missing and how to get it", async () => {
    await inFolder({ "mine.toml": toml('signing_key_file = "my.asc"') }, async (path) => {
      const error = await loadTarget(join(path, "mine.toml")).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BerryError);
      expect((error as BerryError).kind).toBe("no-input");
      expect((error as BerryError).hint).toContain("gpg --armor --export");
    });
  });

  test("says in which line it is not TOML", async () => {
    await inFolder({ "mine.toml": 'name = "mine"\nfamily = pacman\n' }, async (path) => {
      const error = await loadTarget(join(path, "mine.toml")).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain("line 2");
    });
  });

  test("that is not there is answered with the targets that are", async () => {
    const error = await loadTarget("./nowhere/mine.toml").catch((thrown: unknown) => thrown);
    expect((error as BerryError).hint).toContain("debian-arm64");
  });
});
