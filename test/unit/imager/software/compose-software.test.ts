import { describe, expect, test } from "bun:test";
import { composeSoftware } from "../../../../src/imager/software/compose-software.ts";
import {
  dpkgPackages,
  fileNameOf,
  operatingSystem,
  packageOfFile,
  pacmanPackages,
} from "../../../../src/imager/software/databases.ts";
import { packageUrl } from "../../../../src/imager/software/package-url.ts";
import { tarballOf } from "../../../../src/imager/plan/pacman-layers.ts";
import { shippedTarget } from "../../../../src/imager/targets/targets.ts";
import { archNotes, debianRelease, digestOf, dpkgStanza, pacmanDescription } from "./software-values.ts";

describe("pacman's database", () => {
  test("tells name, version, architecture, base and licences", () => {
    const text =
      pacmanDescription("bash", "5.2.037-1", "%LICENSE%\nGPL-3.0-or-later\ncustom:odd one\n\n") +
      pacmanDescription("python-pip", "1:24.0-2").replace("%BASE%\npython-pip", "%BASE%\npip");
    expect(pacmanPackages(text)).toEqual([
      {
        name: "bash",
        version: "5.2.037-1",
        architecture: "aarch64",
        source: null,
        licences: ["GPL-3.0-or-later", "custom:odd one"],
      },
      {
        name: "python-pip",
        version: "1:24.0-2",
        architecture: "aarch64",
        source: { name: "pip", version: null },
        licences: [],
      },
    ]);
  });
  test("of nothing has no packages", () => {
    expect(pacmanPackages("")).toEqual([]);
    expect(pacmanPackages("9\n")).toEqual([]);
  });
});

describe("dpkg's status", () => {
  test("tells what is there, and from which source it was built", () => {
    const text =
      dpkgStanza("libssl3t64", "3.5.1-1", "Source: openssl\n") +
      dpkgStanza("linux-image-6.12.48+deb13-arm64", "6.12.48-1", "Source: linux-signed-arm64 (6.12.48+1)\n") +
      dpkgStanza("adduser", "3.152") +
      dpkgStanza("vim", "2:9.1.1-2", "", "deinstall ok config-files") +
      dpkgStanza("half", "1", "", "install ok half-configured");
    const packages = dpkgPackages(text);
    expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
      "libssl3t64 3.5.1-1",
      "linux-image-6.12.48+deb13-arm64 6.12.48-1",
      "adduser 3.152",
      "half 1",
    ]);
    expect(packages.map(({ source }) => source)).toEqual([
      { name: "openssl", version: null },
      { name: "linux-signed-arm64", version: "6.12.48+1" },
      null,
      null,
    ]);
  });
});

test.each([
  ["apt", "vim", "2:9.1.1-2", "arm64", "vim_2%3a9.1.1-2_arm64.deb"],
  ["apt", "libstdc++6", "14.2.0-19", "arm64", "libstdc++6_14.2.0-19_arm64.deb"],
  ["apt", "tzdata", "2025b-4+deb13u1", "all", "tzdata_2025b-4+deb13u1_all.deb"],
  ["pacman", "python-pip", "1:24.0-2", "any", "python-pip-1:24.0-2-any.pkg.tar"],
] as const)("a file of %s's cache is named after %s %s", (family, name, version, architecture, file) => {
  const named = { name, version, architecture };
  expect(fileNameOf(family, { ...named, source: null, licences: [] })).toBe(file);
  expect(packageOfFile(family, `/cache/${file}${family === "pacman" ? ".zst" : ""}`)).toEqual(named);
});

test.each(["/cache/lock", "vim-9.1.0-1-aarch64.pkg.tar.xz.sig", "partial"])(
  "%s is no package's file",
  (file) => {
    expect(packageOfFile("pacman", file)).toBeNull();
    expect(packageOfFile("apt", file)).toBeNull();
  },
);

test("os-release is read with and without quotes, and a rolling release has no version", () => {
  expect(operatingSystem(debianRelease)).toEqual({
    id: "debian",
    version: "13",
    title: "Debian GNU/Linux 13 (trixie)",
  });
  expect(operatingSystem("ID='archarm'\n")).toEqual({ id: "archarm", version: null, title: "archarm" });
  expect(operatingSystem("")).toEqual({ id: "linux", version: null, title: "linux" });
});

describe("an image's packages", () => {
  const rootfs = archNotes("rootfs", { bash: "5-1", keyring: "1-1", kernel: "6-1" }, ["rootfs.tar.gz"]);
  const system = archNotes("mirror", { bash: "5-1", keyring: "2-1", pi: "6-2", htop: "3-1" }, [
    "keyring-2-1-aarch64.pkg.tar.xz",
    "pi-6-2-aarch64.pkg.tar.zst",
    "htop-3-1-aarch64.pkg.tar.xz",
  ]);
  const image = archNotes("script", { bash: "5-1", keyring: "2-1", pi: "6-2", "own-tool": "1-1" });
  const { packages, removed, tarballSha256 } = composeSoftware("pacman", [rootfs, system, image]);
  const found = packages.map(({ name, version, origin, sha256 }) => ({ name, version, origin, sha256 }));

  test("have the digests of the files that they came from", () => {
    expect(found).toEqual([
      { name: "bash", version: "5-1", origin: "rootfs", sha256: null },
      {
        name: "keyring",
        version: "2-1",
        origin: "mirror",
        sha256: digestOf("keyring-2-1-aarch64.pkg.tar.xz"),
      },
      { name: "own-tool", version: "1-1", origin: "script", sha256: null },
      { name: "pi", version: "6-2", origin: "mirror", sha256: digestOf("pi-6-2-aarch64.pkg.tar.zst") },
    ]);
    expect(tarballSha256).toBe(digestOf("rootfs.tar.gz"));
  });
  test("are apart from those that were installed on the way; what the tarball had does not count", () => {
    expect(removed.map(({ name }) => name)).toEqual(["htop"]);
  });
  test("came from the mirror once their file was installed again in the same version", () => {
    const again = archNotes("mirror", { bash: "5-1" }, ["bash-5-1-aarch64.pkg.tar.xz"]);
    expect(composeSoftware("pacman", [rootfs, again]).packages).toMatchObject([
      { name: "bash", origin: "mirror", sha256: digestOf("bash-5-1-aarch64.pkg.tar.xz") },
    ]);
  });
});

test.each([
  [
    "apt",
    "2:9.1.1-2+b1",
    { name: "vim", version: null },
    "pkg:deb/debian/vim-tiny@2:9.1.1-2%2Bb1?arch=arm64&distro=debian-13&upstream=vim",
  ],
  [
    "apt",
    "1.0~rc1-1",
    { name: "v", version: "1+1" },
    "pkg:deb/debian/vim-tiny@1.0~rc1-1?arch=arm64&distro=debian-13&upstream=v%401%2B1",
  ],
] as const)("a package URL of %s escapes what has a meaning: %s", (family, version, source, expected) => {
  const each = {
    name: "vim-tiny",
    version,
    architecture: "arm64",
    source,
    licences: [],
    origin: "mirror",
    sha256: null,
  } as const;
  expect(packageUrl(family, operatingSystem(debianRelease), each)).toBe(expected);
});

test("a package URL of Arch Linux ARM has its vendor, and no release", () => {
  const each = {
    name: "GTK",
    version: "1:2_3-1",
    architecture: "any",
    source: null,
    licences: [],
    origin: "rootfs",
    sha256: null,
  } as const;
  expect(packageUrl("pacman", operatingSystem("ID=archarm\n"), each)).toBe(
    "pkg:alpm/archarm/gtk@1:2_3-1?arch=any",
  );
});

test("a tarball's address is told without the password of its server", () => {
  const { target } = shippedTarget("archlinuxarm-rpi-aarch64");
  if (target.family !== "pacman") throw new Error("the target has no tarball");
  const rootfs = { ...target.rootfs, url: "https://chaney:canary@example.org/os/rootfs.tar.gz" };
  expect(tarballOf({ ...target, rootfs })).toEqual({
    url: "https://example.org/os/rootfs.tar.gz",
    signingKey: target.rootfs.signing_key,
  });
});
