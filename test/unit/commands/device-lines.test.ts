import { describe, expect, test } from "bun:test";
import { createStyle } from "../../../src/cli/style.ts";
import {
  deviceLines,
  inOrder,
  isWorthShowing,
  whyNothing,
} from "../../../src/commands/imager/device-lines.ts";
import type { Disk } from "../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../src/imager/disks/verdict.ts";

const plain = createStyle(false);
const stick: Disk = {
  name: "sdb",
  path: "/dev/sdb",
  byId: ["/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0"],
  identity: { majorMinor: "8:16", sizeBytes: 32 * 1024 ** 3, serial: "4C53", sequence: 7 },
  logicalSectorBytes: 512,
  model: "SanDisk Ultra",
  bus: "usb",
  kind: "disk",
  isRemovable: true,
  isReadOnly: false,
  partitions: [],
  contents: [{ device: "sdb1", type: "vfat", label: "BOOT", sizeBytes: 1024 }],
  uses: [],
  doubts: [],
};
const root: Disk = {
  ...stick,
  name: "nvme0n1",
  path: "/dev/nvme0n1",
  bus: "nvme",
  isRemovable: false,
  model: "Samsung SSD",
  contents: [],
  uses: [
    { use: "holds", device: "nvme0n1p2", path: "/" },
    { use: "mounted", device: "nvme0n1p2", at: "/" },
  ],
};
const inUse: Disk = {
  ...stick,
  name: "sdc",
  path: "/dev/sdc",
  uses: [{ use: "mounted", device: "sdc1", at: "/media/me/My Photos" }],
};
const usbDisk: Disk = { ...stick, name: "sdd", path: "/dev/sdd", isRemovable: false, model: "My Passport" };
const emptySlot: Disk = {
  ...stick,
  name: "sde",
  path: "/dev/sde",
  identity: { ...stick.identity, sizeBytes: 0 },
  contents: [],
};
const snap: Disk = {
  ...stick,
  name: "loop0",
  path: "/dev/loop0",
  kind: "loop",
  bus: "loop",
  isRemovable: false,
  uses: [{ use: "mounted", device: "loop0", at: "/snap/x" }],
};

function judged(...disks: Disk[]) {
  return disks.map((disk) => ({ disk, verdict: judgeDisk(disk, { minimumBytes: null }) }));
}

test("disks come with what may be written first, and the system's own last", () => {
  const order = inOrder(judged(root, snap, inUse, usbDisk, stick)).map(({ disk }) => disk.name);
  expect(order).toEqual(["sdb", "sdd", "sdc", "loop0", "nvme0n1"]);
});

test("a table tells of each disk what is on it, why it may not be written and what to do", () => {
  expect(deviceLines(inOrder(judged(root, inUse, usbDisk, stick)), null, plain)).toBe(
    `DEVICE           SIZE  BUS             WRITE    MODEL
/dev/sdb      32.0 GiB  usb, removable  yes      SanDisk Ultra
  has sdb1 vfat "BOOT"
/dev/sdd      32.0 GiB  usb             confirm  My Passport
  has sdb1 vfat "BOOT"
  sdd is not removable
    berry imager write NODE /dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0
/dev/sdc      32.0 GiB  usb, removable  no       SanDisk Ultra
  has sdb1 vfat "BOOT"
  sdc1 is mounted at /media/me/My Photos
    udisksctl unmount -b /dev/sdc1
/dev/nvme0n1  32.0 GiB  nvme            no       Samsung SSD
  nvme0n1p2 holds /
  nvme0n1p2 is mounted at /
`.replace("DEVICE           SIZE", "DEVICE            SIZE"),
  );
});

test.each([24, 40, 60, 80])("on a terminal of %d columns no line is longer", (columns) => {
  const long = {
    ...inUse,
    model: "A".repeat(100),
    uses: [{ use: "mounted", device: "sdc1", at: `/media/${"x".repeat(120)}` }],
  } as const;
  const lines = deviceLines(judged(long, stick, usbDisk, root), columns, plain).split("\n");
  for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
  expect(lines.join("").replaceAll(" ", "")).toContain("A".repeat(100));
});

test("what a disk says of itself cannot steer the terminal", () => {
  const evil: Disk = {
    ...stick,
    model: "\u001b[2Jmodel",
    contents: [{ device: "sdb1", type: "vfat", label: "\u001b]0;x\u0007", sizeBytes: 1 }],
    uses: [{ use: "mounted", device: "sdb1", at: "/media/\u001b[31m\n" }],
  };
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(deviceLines(judged(evil), 80, plain)).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test("without a link in /dev/disk/by-id the command names the model, quoted for the shell", () => {
  const loop: Disk = { ...stick, kind: "loop", bus: "loop", byId: [], model: "/home/me/it's a card.img" };
  expect(deviceLines(judged(loop), null, plain)).toContain(
    "berry imager write NODE /dev/sdb --yes-really '/home/me/it'\\''s a card.img'\n",
  );
});

test("loop devices in use and what is made of other disks are shown with --all alone", () => {
  const volume: Disk = { ...stick, kind: "part" };
  expect(judged(stick, root, emptySlot, snap, volume).map(isWorthShowing)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

describe("where nothing may be written", () => {
  test("a mounted card is what is told of first", () => {
    expect(whyNothing(judged(root, inUse, emptySlot))?.message).toContain("/dev/sdc is mounted");
  });
  test("an empty slot asks for a card", () => {
    expect(whyNothing(judged(root, emptySlot))?.message).toContain("no card is in /dev/sde");
  });
  test("a card with another fault is pointed at", () => {
    expect(whyNothing(judged({ ...stick, isReadOnly: true }))?.hint).toContain("against /dev/sdb");
  });
  test("without any reader, the kernel's log is pointed at", () => {
    expect(whyNothing(judged(root, usbDisk))?.hint).toContain("dmesg");
  });
  test("and where something may, nothing is said", () => {
    expect(whyNothing(judged(root, stick))).toBeNull();
  });
});
