import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BerryError } from "../../../src/core/errors.ts";
import { GiB } from "../../../src/core/units.ts";
import type { HostFacts } from "../../../src/imager/facts/host-facts.ts";
import { everyNeed, preflight, refuseProblems } from "../../../src/imager/preflight.ts";
import type { Problem } from "../../../src/imager/preflight.ts";
import { shippedTarget } from "../../../src/imager/targets/targets.ts";
import { arch, debian, makeCluster, makeFacts, makeFan, makeNode } from "./plan/cluster-values.ts";

function problems(changes: Partial<HostFacts> = {}, target = debian, names = ["pi1"]): Problem[] {
  const nodes = names.map((name) => makeNode(name, { fan: makeFan() }));
  return preflight(makeCluster(target, nodes), nodes, shippedTarget(target).target, makeFacts(changes));
}

function without(...names: string[]): Partial<HostFacts> {
  const programs = Object.entries(makeFacts().programs).filter(([name]) => !names.includes(name));
  return { programs: Object.fromEntries(programs) };
}

describe("a machine that can bake", () => {
  test.each([arch, debian])("has no problem with %s", (target) => {
    expect(problems({}, target)).toEqual([]);
    expect(() => refuseProblems([])).not.toThrow();
  });
  test("may be one of arm64, without an emulator", () => {
    expect(
      problems({ architecture: "aarch64", emulators: [], kernel: { release: "5.10", major: 5, minor: 10 } }),
    ).toEqual([]);
  });
  test("may be root's, without sub-ids and without newuidmap", () => {
    expect(
      problems({
        isRoot: true,
        subordinateIds: { users: 0, groups: 0, firstFree: 100_000 },
        ...without("newuidmap", "newgidmap"),
      }),
    ).toEqual([]);
    expect(problems({ isRoot: true, userNamespaces: "blocked-by-apparmor" })).toEqual([]);
  });
  test("needs no pacman: the image has one", () => {
    expect(problems({ pacmanMajor: null, ...without("pacman") }, arch)).toEqual([]);
  });
  test("needs the tools of its target's family alone", () => {
    expect(problems(without("apt-get", "dpkg", "dpkg-deb"), arch)).toEqual([]);
    expect(problems(without("bsdtar", "gpg"), debian)).toEqual([]);
    expect(problems({ keyrings: [] }, arch)).toEqual([]);
  });
  test("needs no dtc where the distribution has the overlays, or no fan wants one", () => {
    expect(problems(without("dtc"), arch)).toEqual([]);
    const nodes = [makeNode("pi1"), makeNode("pi2", { fan: makeFan({ backend: "gpio" }) })];
    const cluster = makeCluster(debian, nodes);
    expect(preflight(cluster, nodes, shippedTarget(debian).target, makeFacts(without("dtc")))).toEqual([]);
  });
});

describe("preflight", () => {
  test("names all missing programs at once, with the command that installs them on each system", () => {
    const [found, ...others] = problems({ ...without("mcopy", "mkfs.vfat", "newuidmap"), emulators: [] });
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      what: "missing: mkfs.vfat, mcopy, newuidmap, qemu-aarch64-static",
      remedy: [
        "Arch:   sudo pacman -S --needed dosfstools mtools qemu-user-static shadow",
        "Debian: sudo apt-get install --no-install-recommends dosfstools mtools qemu-user-static uidmap",
        "Fedora: sudo dnf install dosfstools mtools qemu-user-static-aarch64 shadow-utils",
      ].join("\n"),
    });
  });
  test("names a package once that brings several programs", () => {
    expect(problems(without("mke2fs", "debugfs", "tune2fs"))[0]?.remedy).toContain("--needed e2fsprogs\n");
  });
  test.each(everyNeed.map(({ program }) => program))("misses %s", (program) => {
    const changes = { ...without(program), ...(program.startsWith("qemu-") ? { emulators: [] } : {}) };
    const found = [...problems(changes, arch), ...problems(changes, debian)];
    expect(found.map(({ what }) => what)).toContain(`missing: ${program}`);
  });
  test("says that an old kernel needs a handler of the host's", () => {
    const kernel = { release: "6.1.0-40-amd64", major: 6, minor: 1 };
    const [problem, ...others] = problems({ kernel });
    expect(others).toEqual([]);
    expect(problem?.what).toBe(
      "Linux 6.1.0-40-amd64 cannot emulate arm64 in a namespace of its own (6.7 and later can), and the host has no arm64 handler with flag F",
    );
    expect(problem?.remedy).toContain("qemu-user-static");
    expect(problems({ kernel, hostHandler: "/usr/libexec/qemu-binfmt/aarch64-binfmt-P" })).toEqual([]);
  });
  test("knows Ubuntu's AppArmor, and how to let berry through", () => {
    const [problem] = problems({ userNamespaces: "blocked-by-apparmor" });
    expect(problem?.what).toBe(
      "AppArmor blocks unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)",
    );
    expect(problem?.remedy).toStartWith("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n");
  });
  test.each([true, false])("says that user namespaces are switched off (root: %p)", (isRoot) => {
    const [problem] = problems({ isRoot, userNamespaces: "disabled" });
    expect(problem?.what).toBe("user namespaces are switched off");
    expect(problem?.remedy).toContain("sudo sysctl -w user.max_user_namespaces=10000");
  });
  test.each([
    [0, 65_536],
    [65_536, 65_535],
  ])("counts %d and %d sub-ids", (users, groups) => {
    const [problem] = problems({ subordinateIds: { users, groups, firstFree: 231_072 } });
    expect(problem?.what).toBe(
      `chaney has ${users} subordinate user ids and ${groups} group ids, and an image needs 65536 of each`,
    );
    expect(problem?.remedy).toBe(
      "sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 chaney",
    );
  });
  test("misses Debian's keyring", () => {
    const [problem] = problems({ keyrings: ["other.gpg"] });
    expect(problem?.what).toBe(
      "no /usr/share/keyrings/debian-archive-keyring.gpg, without which Debian's packages cannot be verified",
    );
    expect(problem?.remedy).toContain("debian-archive-keyring");
  });
  test("refuses a cache where owners and attributes are lost", () => {
    const disk = {
      directory: "/mnt/usb/cache",
      freeBytes: 100 * GiB,
      fileSystem: "exfat",
      keepsAttributes: false,
    };
    expect(problems({ cacheDisk: disk })).toEqual([
      {
        what: "/mnt/usb/cache lies on exfat, which keeps no extended attributes",
        remedy: "choose a folder on ext4, btrfs or xfs with --cache-dir",
      },
    ]);
  });
  test("asks for more room for a first bake than for a later one", () => {
    const cacheDisk = { ...makeFacts().cacheDisk, freeBytes: 2 * GiB };
    expect(problems({ cacheDisk })[0]?.what).toBe(
      "/home/chaney/.cache/berry has 2.0 GiB free, and a bake needs about 4.0 GiB",
    );
    expect(problems({ cacheDisk, cachedLayers: ["system-0", "image-0"] })).toEqual([]);
  });
  test("asks for room for every image", () => {
    const outputDisk = { ...makeFacts().outputDisk, freeBytes: 0.5 * GiB };
    expect(problems({ outputDisk })[0]?.what).toBe(
      "/home/chaney/cluster/images has 512 MiB free, and one image needs about 1.0 GiB",
    );
    expect(problems({ outputDisk }, debian, ["pi1", "pi2"])[0]?.what).toContain(
      "and 2 images need about 2.0 GiB",
    );
    expect(problems({ outputDisk })[0]?.remedy).toBe("free some space, or set image.output in berry.toml");
  });
  test("asks for little room where images share the blocks of the packed one", () => {
    const names = Array.from({ length: 20 }, (_, index) => `pi${index + 1}`);
    const outputDisk = { ...makeFacts().outputDisk, freeBytes: 2 * GiB };
    expect(problems({ outputDisk }, debian, names)).toHaveLength(1);
    expect(problems({ outputDisk, imagesShareBlocks: true }, debian, names)).toEqual([]);
    const full = { ...outputDisk, freeBytes: GiB };
    expect(problems({ outputDisk: full, imagesShareBlocks: true }, debian, names)).toHaveLength(1);
  });
  test("wants ssh-keygen where host keys are kept on this host, and nowhere else", () => {
    expect(problems(without("ssh-keygen"))[0]?.what).toBe("missing: ssh-keygen");
    expect(problems(without("ssh-keygen"))[0]?.remedy).toContain("openssh-client");
    const nodes = [makeNode("pi1", { ssh: { hostKeys: null } })];
    const cluster = makeCluster(debian, nodes);
    expect(preflight(cluster, nodes, shippedTarget(debian).target, makeFacts(without("ssh-keygen")))).toEqual(
      [],
    );
  });
  test("misses the berry of the images", () => {
    const [problem] = problems({ berry: null });
    expect(problem?.what).toBe(
      "no berry for the image: there is no berry-aarch64 beside the running program",
    );
    expect(problem?.remedy).toContain("--berry PATH");
    expect(problem?.remedy).toContain("berry-VERSION-1-aarch64.pkg.tar.zst");
  });
  test("says that there is no node", () => {
    expect(problems({}, debian, [])).toEqual([
      { what: "/home/chaney/cluster/berry.toml names no node", remedy: "add a [[node]]" },
    ]);
  });
  test("tells all problems in one refusal, each with its remedy", () => {
    const found = problems({
      berry: null,
      keyrings: [],
      userNamespaces: "blocked-by-apparmor",
      ...without("mcopy"),
    });
    expect(found).toHaveLength(4);
    const refuse = (): void => refuseProblems(found);
    expect(refuse).toThrow(BerryError);
    for (const { what, remedy } of found) {
      expect(refuse).toThrow(what);
      for (const line of remedy.split("\n")) expect(refuse).toThrow(line);
    }
  });
});

describe("scripts/packages", () => {
  /** Rows of use `bake`: program, apt, pacman, dnf. */
  const rows = async (): Promise<Map<string, string>> => {
    const text = await readFile(join(import.meta.dirname, "../../../scripts/packages"), "utf8");
    const words = text.split("\n").map((line) => line.split(/\s+/));
    return new Map(
      words.flatMap(([use, program = "", ...packages]) =>
        use === "bake" ? [[program, packages.join(" ")]] : [],
      ),
    );
  };
  test.each(everyNeed)(
    "names the packages of $program as preflight does",
    async ({ program, debian: apt, arch: pacman, fedora }) => {
      expect((await rows()).get(program)).toBe(`${apt} ${pacman} ${fedora}`);
    },
  );
  test("asks for nothing that preflight does not know, but for what helps without being needed", async () => {
    const known = everyNeed.map(({ program }) => program);
    const others = [...(await rows()).keys()].filter((program) => !known.includes(program));
    expect(others.sort()).toEqual([
      "/usr/share/keyrings/debian-archive-keyring.gpg",
      "pacman",
      "tar",
      "xz",
      "zstd",
    ]);
  });
});
