import { describe, expect, test } from "bun:test";
import { exampleCluster } from "../../../../src/commands/doctor/example-cluster.ts";
import { prescribe, type Report } from "../../../../src/commands/doctor/finding.ts";
import { type BakeFacts, judgeBake } from "../../../../src/commands/doctor/judge-bake.ts";
import { placesOf } from "../../../../src/commands/doctor/judge-places.ts";
import type { Obstacle, Place } from "../../../../src/commands/doctor/places-file.ts";
import type { Distribution } from "../../../../src/imager/install-command.ts";
import { listTargets, shippedTarget } from "../../../../src/imager/targets/targets.ts";
import { arch, debian, makeCluster, makeFacts, makeNode } from "../../imager/plan/cluster-values.ts";

const archName = "Arch Linux ARM (archlinuxarm-rpi-aarch64)";
const debianName = "Debian 13 trixie (debian-arm64)";

function factsOf(
  changes: Parameters<typeof makeFacts>[0] = {},
  more: Partial<Omit<BakeFacts, "host">> = {},
): BakeFacts {
  return {
    host: makeFacts(changes),
    cluster: exampleCluster("/home/chaney"),
    file: { state: "none" },
    targets: listTargets(),
    blocked: [],
    ...more,
  };
}
function withFile(target: string, changes: Parameters<typeof makeFacts>[0] = {}): BakeFacts {
  return factsOf(changes, {
    cluster: makeCluster(target, [makeNode("pi1")]),
    file: { state: "read", warnings: [] },
    targets: [target, target === debian ? arch : debian].map(shippedTarget),
  });
}
function without(...names: string[]): Parameters<typeof makeFacts>[0] {
  const programs = Object.entries(makeFacts().programs).filter(([name]) => !names.includes(name));
  return { programs: Object.fromEntries(programs) };
}
/** Level, finding and remedy, as they are told on that system. */
function told(facts: BakeFacts, distribution: Distribution | null = "debian") {
  const { reports } = prescribe([judgeBake(facts)], distribution, false);
  return (reports[0] as Report).findings.map(({ level, what, remedy }) => [level, what, remedy]);
}

describe("the bake on a laptop that has everything", () => {
  test("is ready for every system", () => {
    const report = judgeBake(factsOf());
    expect(report).toMatchObject({ role: "bake", level: "ready" });
    expect(told(factsOf())).toEqual([
      ["ready", `${archName} can be baked`, null],
      ["ready", `${debianName} can be baked`, null],
    ]);
  });
  test("is ready on arm64 without an emulator", () => {
    expect(judgeBake(factsOf({ architecture: "aarch64", emulators: [] })).level).toBe("ready");
  });
  test("says that its berry.toml is valid, and what could be better in it", () => {
    const facts = factsOf(
      {},
      {
        ...withFile(debian),
        file: { state: "read", warnings: [{ message: "[fan]: loud", hint: "mend it" }] },
      },
    );
    expect(judgeBake(facts).level).toBe("ready");
    expect(told(facts).slice(0, 2)).toEqual([
      ["ready", "/home/chaney/cluster/berry.toml is valid", null],
      ["partly", "[fan]: loud", "mend it"],
    ]);
  });
});

describe("the bake on a laptop that lacks something", () => {
  test("names what every system needs once, and one command for all of it", () => {
    const facts = factsOf({ ...without("mcopy", "bsdtar"), emulators: [] });
    expect(judgeBake(facts)).toMatchObject({ level: "missing", what: "no image can be baked yet" });
    const command = "sudo apt-get install --no-install-recommends libarchive-tools mtools qemu-user-static";
    expect(told(facts)).toEqual([
      ["missing", "not installed: mcopy, qemu-aarch64-static", command],
      ["missing", `${archName}: not installed: bsdtar`, command],
    ]);
  });
  test("names the packages of the system that it is", () => {
    const facts = factsOf({ emulators: [] });
    expect(told(facts, "arch")[0]?.[2]).toBe("sudo pacman -S --needed qemu-user-static");
    expect(told(facts, "fedora")[0]?.[2]).toBe("sudo dnf install qemu-user-static-aarch64");
    expect(String(told(facts, null)[0]?.[2]).split("\n")).toHaveLength(3);
  });
  test("asks root for no sudo", () => {
    const { reports } = prescribe([judgeBake(factsOf({ emulators: [], isRoot: true }))], "debian", true);
    expect(reports[0]?.findings[0]?.remedy).toBe("apt-get install --no-install-recommends qemu-user-static");
  });
  test("is partly ready where one system can be baked", () => {
    const facts = factsOf({ ...without("apt-get", "dpkg", "dpkg-deb"), keyrings: [] });
    expect(judgeBake(facts).level).toBe("partly");
    expect(told(facts, "arch")).toEqual([
      ["ready", `${archName} can be baked`, null],
      [
        "missing",
        `${debianName}: not installed: apt-get, dpkg, dpkg-deb, /usr/share/keyrings/debian-archive-keyring.gpg`,
        "sudo pacman -S --needed apt debian-archive-keyring dpkg",
      ],
    ]);
  });
  test("names the command that gives a user sub-ids", () => {
    const facts = factsOf({ subordinateIds: { users: 0, groups: 0, firstFree: 100_000 } });
    expect(judgeBake(facts).level).toBe("missing");
    const [[level, what, remedy] = []] = told(facts);
    expect(level).toBe("missing");
    expect(what).toContain("chaney has 0 subordinate user ids");
    expect(remedy).toContain("sudo usermod --add-subuids");
    expect(told(facts)).toHaveLength(1);
  });
  test("says that berry.toml has to name Debian's mirror where this host uses none", () => {
    const facts = factsOf({ debianMirror: null });
    expect(judgeBake(facts).level).toBe("ready");
    expect(told(facts).at(-1)?.slice(0, 2)).toEqual([
      "partly",
      `${debianName}: no mirror for Debian: berry.toml names none, and this host's apt uses none`,
    ]);
    expect(judgeBake(withFile(debian, { debianMirror: null })).level).toBe("missing");
    expect(judgeBake(withFile(arch, { debianMirror: null })).level).toBe("ready");
  });
});

describe("the bake beside a berry.toml", () => {
  test("is judged by the target that it names; of others is told what they would need", () => {
    const facts = withFile(debian, without("bsdtar"));
    expect(judgeBake(facts).level).toBe("ready");
    expect(told(facts)).toEqual([
      ["ready", "/home/chaney/cluster/berry.toml is valid", null],
      ["ready", `${debianName} can be baked`, null],
      [
        "partly",
        `${archName}: not installed: bsdtar`,
        "sudo apt-get install --no-install-recommends libarchive-tools",
      ],
    ]);
    expect(judgeBake(withFile(arch, without("bsdtar"))).level).toBe("missing");
  });
  test("that is broken waits until it is mended; what the machine can do is told all the same", () => {
    const facts = factsOf(
      {},
      { file: { state: "broken", message: "berry.toml: a\nberry.toml: b", hint: null } },
    );
    expect(judgeBake(facts)).toMatchObject({
      level: "missing",
      what: "berry.toml has to be mended first",
    });
    expect(told(facts)).toEqual([
      ["missing", "berry.toml: a", "berry imager plan says whether it is right"],
      ["missing", "berry.toml: b", "berry imager plan says whether it is right"],
      ["ready", `${archName} can be baked`, null],
      ["ready", `${debianName} can be baked`, null],
    ]);
  });
});

describe("a bake that has nowhere to write", () => {
  const place = (use: Place["use"], folder: string, obstacle: Obstacle) => ({ use, folder, obstacle });
  test("is missing its cache, with or without a berry.toml", () => {
    const blocked = [place("cache", "/nonexistent/.cache/berry", { at: "/", why: "denied" })];
    for (const facts of [factsOf({}, { blocked }), { ...withFile(debian), blocked }]) {
      expect(judgeBake(facts).level).toBe("missing");
      expect(judgeBake(facts).what).toContain("baked yet");
      expect(told(facts)).toContainEqual([
        "missing",
        "the cache /nonexistent/.cache/berry cannot be written: you may not write to /",
        "berry imager bake --cache-dir FOLDER; for good: export XDG_CACHE_HOME=FOLDER",
      ]);
    }
  });
  test("tells of one folder once, whatever would lie there", () => {
    const obstacle: Obstacle = { at: "/media/cd", why: "read-only" };
    const blocked = [
      place("images", "/media/cd/images", obstacle),
      place("host keys", "/media/cd/secret/host-keys", obstacle),
      place("lock", "/media/cd", obstacle),
    ];
    const facts = { ...withFile(debian), blocked };
    expect(judgeBake(facts).level).toBe("missing");
    expect(told(facts).filter(([level]) => level === "missing")).toEqual([
      [
        "missing",
        "cannot write the images, the host keys, berry.lock: the file system of /media/cd is read-only",
        "copy berry.toml and the files that it names to a folder of your own, and bake there",
      ],
    ]);
  });
  test("names the setting of each folder that can lie elsewhere", () => {
    const blocked = [
      place("images", "/srv/images", { at: "/srv", why: "denied" }),
      place("host keys", "/etc/motd/keys", { at: "/etc/motd", why: "no folder" }),
    ];
    expect(told({ ...withFile(debian), blocked }).filter(([level]) => level === "missing")).toEqual([
      [
        "missing",
        "cannot write the images: you may not write to /srv",
        "name another folder with output in [image] of berry.toml",
      ],
      [
        "missing",
        "cannot write the host keys: /etc/motd is not a folder",
        "name another folder with host_keys in [ssh] of berry.toml",
      ],
    ]);
  });
  test("can be done in another folder where there is no berry.toml yet", () => {
    const facts = factsOf({}, { blocked: [place("berry.toml", "/usr", { at: "/usr", why: "denied" })] });
    expect(judgeBake(facts)).toMatchObject({
      level: "partly",
      what: "images can be baked, though not in this folder",
    });
    expect(told(facts)[0]).toEqual([
      "partly",
      "no cluster can be kept in /usr: you may not write to /usr",
      "cd to a folder of your own; berry init --dir FOLDER writes a berry.toml there",
    ]);
  });
  test("writes to the folders of berry.toml, and to that of a host key which is not there yet", () => {
    const { cluster, host } = withFile(debian);
    const uses = (hostKeys: BakeFacts["host"]["hostKeys"]) =>
      placesOf(cluster, { ...host, hostKeys }, "read").map(({ use, folder }) => `${use}: ${folder}`);
    const others = ["cache: /home/chaney/.cache/berry", "images: /home/chaney/cluster/images"];
    const keys = cluster.nodes[0]?.ssh.hostKeys;
    expect(typeof keys).toBe("string");
    expect(uses({})).toEqual([...others, `host keys: ${keys}`, "lock: /home/chaney/cluster"]);
    expect(uses({ pi1: ["ed25519"] })).toEqual([...others, "lock: /home/chaney/cluster"]);
    expect(placesOf(cluster, host, "none").map(({ use }) => use)).toEqual(["cache", "berry.toml"]);
  });
});
