import { describe, expect, test } from "bun:test";
import { BerryError } from "../../../../src/core/errors.ts";
import {
  confirmation,
  confirmationPhrase,
  resolveTarget,
  sameDisk,
  type NamedFile,
} from "../../../../src/imager/disks/choose-disk.ts";
import type { Disk } from "../../../../src/imager/disks/disk.ts";

const stick: Disk = {
  name: "sdb",
  path: "/dev/sdb",
  byId: ["/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0"],
  identity: { majorMinor: "8:16", sizeBytes: 32_000_000_000, serial: "4C53", sequence: 7 },
  logicalSectorBytes: 512,
  model: "SanDisk Ultra",
  bus: "usb",
  kind: "disk",
  isRemovable: true,
  isReadOnly: false,
  partitions: [{ name: "sdb1", majorMinor: "8:17", sizeBytes: 1024 }],
  contents: [],
  uses: [],
  doubts: [],
};
const card: Disk = {
  ...stick,
  name: "mmcblk0",
  path: "/dev/mmcblk0",
  byId: [],
  kind: "sd-card",
  bus: "mmc",
  model: "SC32G",
  identity: { ...stick.identity, majorMinor: "179:0" },
  partitions: [{ name: "mmcblk0p1", majorMinor: "179:1", sizeBytes: 1024 }],
};
const disks = [stick, card];

function file(named: string, more: Partial<NamedFile> = {}): NamedFile {
  const path = named.startsWith("/") ? named : `/home/me/${named}`;
  return { named, path, real: path, type: "block", majorMinor: null, ...more };
}

function failure(named: NamedFile, among: readonly Disk[] = disks): BerryError | undefined {
  try {
    resolveTarget(named, among);
  } catch (thrown) {
    if (thrown instanceof BerryError) return thrown;
  }
  return undefined;
}

describe("what is named as the place to write to", () => {
  const same: readonly (readonly [string, NamedFile, Disk, boolean])[] = [
    ["by its path", file("/dev/sdb", { majorMinor: "8:16" }), stick, false],
    ["by its bare name", file("sdb", { type: "missing" }), stick, false],
    ["by its bare name, where a file is called the same", file("sdb", { type: "file" }), stick, false],
    [
      "by its link in /dev/disk/by-id",
      file("/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0", { real: "/dev/sdb", majorMinor: "8:16" }),
      stick,
      true,
    ],
    [
      "by another link",
      file("/dev/disk/by-path/pci-usb-0:2", { real: "/dev/sdb", majorMinor: "8:16" }),
      stick,
      false,
    ],
    ["by a node of another name", file("/tmp/card", { majorMinor: "179:0" }), card, false],
    ["by a path where nodes have no numbers", file("/dev/mmcblk0"), card, false],
  ];
  test.each(same)("%s is that disk", (_, named, disk, namedById) => {
    expect(resolveTarget(named, disks)).toEqual({ disk, namedById });
  });

  const refused: readonly (readonly [string, NamedFile, string, string, string])[] = [
    [
      "a partition",
      file("/dev/sdb1", { majorMinor: "8:17" }),
      "usage",
      "/dev/sdb1 is sdb1, a partition of /dev/sdb",
      "name /dev/sdb,",
    ],
    [
      "a card's partition by its bare name",
      file("mmcblk0p1", { type: "missing" }),
      "usage",
      "mmcblk0p1 is mmcblk0p1, a partition of /dev/mmcblk0",
      "name /dev/mmcblk0,",
    ],
    [
      "a partition by its link",
      file("/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0-part1", { real: "/dev/sdb1", majorMinor: "8:17" }),
      "usage",
      "sdb1, a partition of /dev/sdb",
      "name /dev/sdb,",
    ],
    ["a file", file("card.img", { type: "file" }), "usage", "card.img is a file", "losetup --find --show"],
    [
      "a folder",
      file("/media/me", { type: "folder" }),
      "usage",
      "/media/me is a folder",
      "/dev/sdb (SanDisk Ultra, 29.8 GiB)",
    ],
    [
      "nothing",
      file("/dev/sdx", { type: "missing" }),
      "no-input",
      "there is no disk /dev/sdx",
      "/dev/mmcblk0 (SC32G",
    ],
    ["a character device", file("/dev/tty", { type: "other" }), "usage", "/dev/tty is no disk", "/dev/sdb"],
    [
      "a loop device without a file",
      file("/dev/loop3", { majorMinor: "7:3" }),
      "usage",
      "without a medium",
      "/dev/sdb",
    ],
    [
      "a path that has a disk's number in no node",
      file("/dev/sdb", { majorMinor: "8:32" }),
      "usage",
      "without a medium",
      "/dev/sdb",
    ],
  ];
  test.each(refused)("%s is an error that names what there is", (_, named, kind, message, hint) => {
    const thrown = failure(named);
    expect(thrown?.kind as string | undefined).toBe(kind);
    expect(thrown?.message).toContain(message);
    expect(thrown?.hint).toContain(hint);
  });

  test("a name with control characters does not reach the terminal as it is", () => {
    expect(failure(file("/dev/\u001b[31m", { type: "missing" }))?.message).toBe(
      "there is no disk /dev/\\u{1b}[31m",
    );
  });

  test("a disk whose number is unknown is not taken for another one of unknown number", () => {
    const nameless = { ...stick, identity: { ...stick.identity, majorMinor: "" } };
    expect(failure(file("/tmp/node", { majorMinor: "" }), [nameless])?.kind).toBe("usage");
  });

  test("without any disk, that is what is told", () => {
    expect(failure(file("/dev/sdx", { type: "missing" }), [])?.hint).toContain(
      "no disk that could be a card is connected",
    );
  });
});

test("the system's own disk is not told as one that could have been meant", () => {
  const own: Disk = { ...stick, path: "/dev/sda", uses: [{ use: "holds", device: "sda1", path: "/" }] };
  const missing = file("/dev/sdx", { type: "missing" });
  expect(failure(missing, [own, card])?.hint).toStartWith("there is /dev/mmcblk0 (SC32G, 29.8 GiB);");
  expect(failure(missing, [own])?.hint).toStartWith("no disk that could be a card is connected");
});

test("the command that makes a disk of a file can be typed", () => {
  expect(failure(file("images/it's mine.img", { type: "file" }))?.hint).toEndWith(
    String.raw`losetup --find --show 'images/it'\''s mine.img'`,
  );
});

describe("a disk that is not removable", () => {
  const named = { namedById: false, yesReally: null };
  test("is confirmed by its model, but for space around it", () => {
    for (const yesReally of ["SanDisk Ultra", "  SanDisk Ultra\n"])
      expect(confirmation(stick, { ...named, yesReally })).toEqual({ confirmation: "given" });
  });

  test.each(["sandisk ultra", "SanDisk", "SanDisk Ultra 2", "SanDisk  Ultra", "", "yes", "sdb"])(
    "is not confirmed by %p, even if it was named by /dev/disk/by-id",
    (yesReally) => {
      for (const namedById of [false, true])
        expect(confirmation(stick, { namedById, yesReally }).confirmation).toBe("refused");
    },
  );

  test("has to have its model typed when it was named by /dev/disk/by-id", () => {
    expect(confirmation(stick, { namedById: true, yesReally: null })).toEqual({
      confirmation: "ask",
      phrase: "SanDisk Ultra",
    });
  });

  test("is refused when it was named otherwise, with both ways to mean it", () => {
    expect(confirmation(stick, named)).toEqual({
      confirmation: "refused",
      refusal: {
        reason: "sdb (SanDisk Ultra) is not a removable card, and was not named by /dev/disk/by-id",
        remedy: "name it /dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0, or give --yes-really 'SanDisk Ultra'",
      },
    });
  });

  test("is confirmed by a word that a shell takes for one, whatever its model", () => {
    const hostile = { ...stick, byId: [], model: "x'; reboot '\n$(reboot)" };
    const asked = confirmation(hostile, named);
    const remedy = asked.confirmation === "refused" ? asked.refusal.remedy : null;
    expect(remedy).toBe(String.raw`--yes-really 'x'\''; reboot '\''\u{a}$(reboot)'`);
    const typed = String.raw`x'; reboot '\u{a}$(reboot)`;
    expect(confirmation(hostile, { ...named, yesReally: typed })).toEqual({ confirmation: "given" });
    expect(confirmation({ ...hostile, byId: ["/dev/disk/by-id/a b"] }, named)).toMatchObject({
      refusal: { remedy: expect.stringContaining("name it '/dev/disk/by-id/a b', or give --yes-really 'x'") },
    });
  });

  test("is known by its serial number, or else its size, where it has no model", () => {
    expect(confirmationPhrase({ ...stick, model: " " })).toBe("sdb 4C53");
    const nameless = { ...stick, model: "", identity: { ...stick.identity, serial: "" } };
    expect(confirmationPhrase(nameless)).toBe("sdb 29.8 GiB");
    expect(confirmation(nameless, { ...named, yesReally: "" }).confirmation).toBe("refused");
  });

  test("is a loop device by the path of its file, spaces and all", () => {
    const loop: Disk = { ...stick, kind: "loop", byId: [], model: "/home/me/my card.img " };
    for (const yesReally of ["/home/me/my card.img ", "/home/me/my card.img"])
      expect(confirmation(loop, { ...named, yesReally }).confirmation).toBe("given");
    expect(confirmation(loop, { ...named, yesReally: "/home/me/my" }).confirmation).toBe("refused");
  });
});

describe("a disk before and after it was opened", () => {
  test("is the same when nothing of it changed", () => {
    expect(sameDisk(stick.identity, { ...stick.identity })).toBeNull();
  });

  test.each([
    [{ majorMinor: "8:32" }, "its number was 8:16 and is 8:32"],
    [{ sizeBytes: 64_000_000_000 }, "it had 32000000000 bytes and has 64000000000 bytes"],
    [{ serial: "4C54" }, "its serial number was '4C53' and is '4C54'"],
    [{ sequence: 8 }, "its medium was changed"],
    [{ sequence: null }, "its medium was changed"],
  ])("is another when it has %j", (change, words) => {
    expect(sameDisk(stick.identity, { ...stick.identity, ...change })).toBe(words);
  });
});
