import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { functionsFor } from "../../../../src/imager/script/functions.ts";
import { stepLines } from "../../../../src/imager/script/step-lines.ts";
import { readLayerNotes, readSoftware } from "../../../../src/imager/software/software-file.ts";
import { composeSoftware } from "../../../../src/imager/software/compose-software.ts";
import type { ListSoftware } from "../../../../src/imager/package-step.ts";
import { installedFiles, listSoftware } from "../../../../src/imager/steps/list-software.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { mustRun } from "../../../fixtures/run.ts";
import {
  archRelease,
  debianRelease,
  digestOf,
  dpkgStanza,
  pacmanDescription,
} from "../software/software-values.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-software-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, content: string): Promise<string> {
  const place = join(folder, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content);
  return place;
}

/** The same step, done by berry and by the script of `plan`. */
async function notes(step: Omit<ListSoftware, "do" | "into">, by: "berry" | "script") {
  const into = join(folder, by);
  await mkdir(into, { recursive: true });
  const whole: ListSoftware = { do: "list-software", ...step, into };
  if (by === "berry") await listSoftware(whole);
  else {
    const commands = stepLines({ title: "note", ...whole }, { variables: [], hashVariable: () => "" });
    const script = ["set -euo pipefail", "umask 022", ...functionsFor(commands), commands].join("\n");
    await mustRun(["bash", "-c", script], {}, AbortSignal.timeout(20_000));
  }
  const found = await readLayerNotes(into, "mirror");
  if (found === null) throw new Error("no notes");
  return composeSoftware(step.database === "dpkg" ? "apt" : "pacman", [found]);
}

describe.each(["berry", "script"] as const)("a layer's notes, made by %s,", (by) => {
  test("name what pacman's database lists, with the digests of what this layer installed", async () => {
    const descriptions = {
      "bash-5-1": ["bash", "5-1"],
      "vim-9-1": ["vim", "9-1"],
      "vim-runtime-9-1": ["vim-runtime", "9-1"],
    };
    await write("root/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
    for (const [entry, [name = "", version = ""]] of Object.entries(descriptions)) {
      await write(`root/var/lib/pacman/local/${entry}/desc`, pacmanDescription(name, version));
      if (name !== "bash") await write(`upper/var/lib/pacman/local/${entry}/desc`, "");
    }
    await write("root/usr/lib/os-release", archRelease);
    await mkdir(join(folder, "root/etc"));
    // as distributions have it, and as it would lead out of the image
    await symlink("/usr/lib/os-release", join(folder, "root/etc/os-release"));
    for (const file of [
      "vim-9-1-aarch64.pkg.tar.xz",
      "vim-9-1-aarch64.pkg.tar.xz.sig",
      "vim-8-1-aarch64.pkg.tar.xz",
      "vim-runtime-9-1-any.pkg.tar.zst",
      "bash-5-1-aarch64.pkg.tar.xz",
    ])
      await write(`cache/${file}`, file);
    const files = { kind: "pacman", cache: join(folder, "cache"), upper: join(folder, "upper") } as const;
    const { packages, system } = await notes({ root: join(folder, "root"), database: "pacman", files }, by);
    expect(system).toEqual({ id: "archarm", version: null, title: "Arch Linux ARM" });
    expect(packages.map(({ name, sha256 }) => [name, sha256])).toEqual([
      ["bash", null],
      ["vim", digestOf("vim-9-1-aarch64.pkg.tar.xz")],
      // the package says aarch64, the file says any: it is not that package's
      ["vim-runtime", null],
    ]);
  });

  test("name what dpkg's status lists, with the digests of all that was unpacked", async () => {
    await write("root/var/lib/dpkg/status", dpkgStanza("vim", "2:9-1") + dpkgStanza("bash", "5-1"));
    await write("root/etc/os-release", debianRelease);
    await write("essential/bash_5-1_arm64.deb", "bash");
    await write("rest of it/vim_2%3a9-1_arm64.deb", "vim");
    const files = {
      kind: "folders",
      folders: [join(folder, "essential"), join(folder, "rest of it")],
    } as const;
    const { packages, system } = await notes({ root: join(folder, "root"), database: "dpkg", files }, by);
    expect(system.version).toBe("13");
    expect(packages.map(({ name, version, sha256 }) => [name, version, sha256])).toEqual([
      ["bash", "5-1", digestOf("bash")],
      ["vim", "2:9-1", digestOf("vim")],
    ]);
  });

  test("have the digest of the tarball that was unpacked", async () => {
    await write("root/var/lib/pacman/local/bash-5-1/desc", pacmanDescription("bash", "5-1"));
    const path = await write("downloads/rootfs.tar.gz", "tarball");
    await notes({ root: join(folder, "root"), database: "pacman", files: { kind: "file", path } }, by);
    expect(await readFile(join(folder, by, "software.digests"), "utf8")).toMatch(
      new RegExp(`^${digestOf("tarball")}  .*rootfs\\.tar\\.gz\n$`),
    );
  });

  test("are there where nothing was installed", async () => {
    await write("root/var/lib/dpkg/status", dpkgStanza("vim", "2:9-1"));
    const { packages } = await notes(
      { root: join(folder, "root"), database: "dpkg", files: { kind: "none" } },
      by,
    );
    expect(packages).toMatchObject([{ name: "vim", sha256: null }]);
  });
});

test("a package that a layer removed is none that it installed, though its file lies in the cache", async () => {
  await write("upper/var/lib/pacman/local/vim-9-1/desc", "");
  await write("upper/var/lib/pacman/local/linux-6-1", "stands for the device that overlayfs puts there");
  for (const name of ["vim-9-1", "linux-6-1"]) await write(`cache/${name}-aarch64.pkg.tar.xz`, name);
  const files = { kind: "pacman", cache: join(folder, "cache"), upper: join(folder, "upper") } as const;
  expect(await installedFiles(files)).toEqual([join(folder, "cache/vim-9-1-aarch64.pkg.tar.xz")]);
});

test("a layer without notes is an error that says so, not a crash", async () => {
  const sources = {
    target: "debian-arm64",
    family: "apt",
    rootfs: null,
    berry: null,
    layers: [{ directory: folder, origin: "mirror" }],
  } as const;
  expect(await failureOf(readSoftware(sources))).toMatchObject({
    kind: "bad-data",
    message: `${folder} does not say which packages it has`,
  });
});
