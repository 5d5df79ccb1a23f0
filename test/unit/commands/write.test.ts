import { describe, expect, test } from "bun:test";
import { questionOf } from "../../../src/commands/imager/write/confirm-cards.ts";
import { imagePath, mayBeNode, parsePairs, refuseAll } from "../../../src/commands/imager/write/pairs.ts";
import { permissionFailure } from "../../../src/commands/imager/write/permission.ts";
import type { Cluster, Node } from "../../../src/config/cluster.ts";
import { BerryError } from "../../../src/core/errors.ts";
import type { Disk } from "../../../src/imager/disks/disk.ts";

// of a cluster, names and the folder of images alone are looked at
const cluster = {
  file: "/home/chaney/berry.toml",
  outputDirectory: "/home/chaney/images",
  nodes: [{ name: "pi1" } as Node, { name: "pi2" } as Node],
} as unknown as Cluster;

const disk: Disk = {
  name: "sdb",
  path: "/dev/sdb",
  byId: ["/dev/disk/by-id/usb-Reader"],
  identity: { majorMinor: "8:16", sizeBytes: 32e9, serial: "1", sequence: 5 },
  logicalSectorBytes: 512,
  model: "Fast Disk",
  bus: "usb",
  kind: "disk",
  isRemovable: true,
  isReadOnly: false,
  partitions: [],
  contents: [{ device: "sdb1", type: "vfat", label: "PHOTOS\u001b[2J", sizeBytes: 1e9 }],
  uses: [],
  doubts: [],
};

describe("what was typed", () => {
  test("is images, each with its card", () => {
    expect(parsePairs(["pi1", "/dev/sdb", "./x.img", "sdc"])).toEqual([
      { image: "pi1", device: "/dev/sdb" },
      { image: "./x.img", device: "sdc" },
    ]);
  });

  test("lacks a card at the end", () => {
    expect(() => parsePairs(["pi1", "/dev/sdb", "pi2"])).toThrow("'pi2' has no partner");
  });

  test("is the wrong way round", () => {
    expect(() => parsePairs(["/dev/sdb", "pi1"])).toThrow("the image comes first");
  });
});

describe("an image", () => {
  test("is a node's, or the file of that name", () => {
    expect(imagePath("pi1", false, cluster)).toBe("/home/chaney/images/pi1.img");
    expect(imagePath("old.img", true, cluster)).toBe("old.img");
    expect(imagePath("./pi1", true, cluster)).toBe("./pi1");
    expect(imagePath("pi1", true, null)).toBe("pi1");
  });

  test("that could be both is neither", () => {
    expect(() => imagePath("pi1", true, cluster)).toThrow("a node of /home/chaney/berry.toml and a file");
  });

  test("that is nothing is told with what there is", () => {
    expect(() => imagePath("pi3x", false, cluster)).toThrow(
      "no node of /home/chaney/berry.toml, and no file",
    );
    expect(() => imagePath("pi1", false, null)).toThrow("no berry.toml");
  });

  test("with a dot or a slash needs no berry.toml", () => {
    expect(["a.img", "./a", "A", "-a", "pi1"].map(mayBeNode)).toEqual([false, false, false, false, true]);
  });
});

test("several problems are told at once, with the exit code of the first", () => {
  const problems = [new BerryError("no-input", "one", { hint: "mend it" }), new BerryError("usage", "two")];
  expect(() => refuseAll([])).not.toThrow();
  expect(() => refuseAll(problems.slice(1))).toThrow("two");
  expect(() => refuseAll(problems)).toThrow("nothing was written, for 2 reasons:\n  one\n    mend it\n  two");
});

describe("a user who may not open a device", () => {
  const argv = ["/usr/bin/berry", "imager", "write", "my image.img", "/dev/sdb"];

  test("hears which group may, and the same words after sudo", () => {
    const failure = permissionFailure([{ path: "/dev/sdb", group: "disk", isForGroup: true }], argv);
    expect(failure.kind).toBe("no-permission");
    expect(failure.message).toContain("/dev/sdb: root may, and who is in the group disk");
    expect(failure.hint).toStartWith("sudo /usr/bin/berry imager write 'my image.img' /dev/sdb\n");
  });

  test("is not sent to a group that may not either", () => {
    const failure = permissionFailure([{ path: "/dev/sdb", group: "disk", isForGroup: false }], argv);
    expect(failure.message).toContain("root alone may");
  });
});

describe("before a card is overwritten", () => {
  const target = { disk, namedById: false };
  const nobody = { yes: false, yesReally: null, isTerminal: false };

  test("a removable one needs a yes", () => {
    expect(questionOf(target, "writable", { ...nobody, yes: true })).toEqual({ ask: "nothing" });
    expect(questionOf(target, "writable", { ...nobody, isTerminal: true })).toEqual({ ask: "consent" });
    expect(questionOf(target, "writable", { ...nobody, yesReally: "Fast Disk" })).toEqual({ ask: "nothing" });
  });

  test("where nobody can be asked, --yes is missing, and what would be lost is told harmlessly", () => {
    const problem = questionOf(target, "writable", nobody);
    if (!(problem instanceof BerryError)) throw new Error("no problem");
    expect(problem.message).toContain("--yes");
    expect(problem.hint).toContain("sdb1: vfat 'PHOTOS\\u{1b}[2J'");
  });

  test("one that is not removable needs more than --yes, and its own model", () => {
    expect(questionOf(target, "confirm", { ...nobody, yes: true })).toBeInstanceOf(BerryError);
    expect(questionOf(target, "confirm", { ...nobody, isTerminal: true })).toBeInstanceOf(BerryError);
    expect(questionOf(target, "confirm", { ...nobody, yesReally: "Other Disk" })).toBeInstanceOf(BerryError);
    expect(questionOf(target, "confirm", { ...nobody, yesReally: "Other,Fast Disk" })).toEqual({
      ask: "nothing",
    });
  });

  test("one that was named by its id is typed at a terminal", () => {
    const named = { disk, namedById: true };
    expect(questionOf(named, "confirm", { ...nobody, isTerminal: true })).toEqual({
      ask: "phrase",
      phrase: "Fast Disk",
    });
    expect(questionOf(named, "confirm", { ...nobody, yes: true })).toBeInstanceOf(BerryError);
  });

  test("where nobody can type it, the option is told as a shell takes it", () => {
    const named = { disk: { ...disk, model: "it's fast" }, namedById: true };
    const problem = questionOf(named, "confirm", nobody);
    expect(problem).toMatchObject({ hint: String.raw`--yes-really 'it'\''s fast' says that you know` });
  });
});
