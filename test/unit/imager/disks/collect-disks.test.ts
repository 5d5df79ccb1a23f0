import { afterAll, describe, expect, test } from "bun:test";
import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectDisks } from "../../../../src/imager/disks/collect-disks.ts";
import { collectKeepPaths } from "../../../../src/imager/disks/collect-keep-paths.ts";
import { lookAtTarget } from "../../../../src/imager/disks/collect-target.ts";
import type { Disk } from "../../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../../src/imager/disks/verdict.ts";
import {
  cardSlot,
  crypt,
  emmc,
  loop,
  lv,
  nvme,
  sata,
  scsiDisk,
  sdCard,
  usb,
  virtio,
  virtual,
} from "../../../fixtures/disk-hardware.ts";
import { buildTree, mounted, type Tree } from "../../../fixtures/disk-tree.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const folder = mkdtempSync(join(tmpdir(), "berry-disks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let trees = 0;

function build(tree: Tree) {
  trees += 1;
  return buildTree(join(folder, String(trees)), tree);
}

async function collect(tree: Tree): Promise<Record<string, Disk>> {
  const { roots, keep } = build(tree);
  return Object.fromEntries((await collectDisks(roots, keep)).map((disk) => [disk.name, disk]));
}

const rootMount = mounted("nvme0n1p1", "/");
const root = nvme("nvme0n1", { parts: ["ext4"] });

test("a stick is all that sysfs and udev tell of it", async () => {
  const { roots, keep } = build({
    disks: [root, usb("sdb", { parts: ["vfat:My Boot", ""], sizeBytes: 1024 ** 3 })],
    mounts: [rootMount],
  });
  const disk = (await collectDisks(roots, keep)).find(({ name }) => name === "sdb");
  expect(disk).toEqual({
    name: "sdb",
    path: join(roots.dev, "sdb"),
    byId: [join(roots.dev, "disk/by-id/usb-SanDisk_Ultra_4C5300011sdb-0:0")],
    identity: { majorMinor: "8:16", sizeBytes: 1024 ** 3, serial: "4C5300011sdb", sequence: 17 },
    logicalSectorBytes: 512,
    model: "SanDisk Ultra",
    bus: "usb",
    kind: "disk",
    isRemovable: true,
    isReadOnly: false,
    partitions: [
      { name: "sdb1", majorMinor: "8:17", sizeBytes: 512 * 1024 ** 2 },
      { name: "sdb2", majorMinor: "8:18", sizeBytes: 512 * 1024 ** 2 },
    ],
    contents: [
      { device: "sdb", type: "dos", label: "", sizeBytes: 1024 ** 3 },
      { device: "sdb1", type: "vfat", label: "My Boot", sizeBytes: 512 * 1024 ** 2 },
    ],
    uses: [],
    doubts: [],
  });
});

test("bus, kind, model and serial number of every sort of disk", async () => {
  const disks = await collect({
    disks: [
      root,
      sata("sda"),
      scsiDisk("sdb"),
      cardSlot("sdc", 1),
      usb("sdd", { vendor: "Evil\u001b[2J", model: "  two   spaces " }),
      sdCard("mmcblk0"),
      ...emmc("mmcblk1").slice(0, 2),
      virtio("vda", { serial: "vol-0123" }),
      loop("loop0", "/home/me/a card.img "),
    ],
    mounts: [rootMount],
  });
  const told = Object.values(disks).map(
    ({ name, bus, kind, model, identity }) => `${name} ${bus} ${kind} '${model}' '${identity.serial}'`,
  );
  expect(told).toEqual([
    "loop0 loop loop '/home/me/a card.img ' ''",
    "mmcblk0 mmc sd-card 'SC32G' '035344534333324780mmcblk0'",
    "mmcblk1 mmc emmc 'DF4064' '0x7f3c2a11'",
    "mmcblk1boot0 mmc emmc-boot 'DF4064' '0x7f3c2a11'",
    "nvme0n1 nvme disk 'Samsung SSD 970 EVO Plus 500GB' 'S4EVNX0R0'",
    "sda sata disk 'Samsung SSD 860 EVO 500GB' ''",
    "sdb scsi disk 'VMware Virtual disk' ''",
    "sdc usb disk 'Generic- SD/MMC' '20120501030900000'",
    "sdd usb disk 'Evil\\u{1b}[2J two spaces' '4C5300011sdd'",
    "vda virtio disk '' 'vol-0123'",
  ]);
});

test("loop devices without a file and RAM disks are no disks; names are in the order in which people count", async () => {
  const disks = await collect({
    disks: [root, virtual("loop1"), loop("loop10", "/x"), loop("loop2", "/y"), virtual("ram0")],
    mounts: [rootMount],
  });
  expect(Object.keys(disks)).toEqual(["loop2", "loop10", "nvme0n1"]);
});

test("the remedies can be typed, and for the disk of the system there are none", async () => {
  const disks = await collect({
    disks: [
      root,
      usb("sdb", { parts: ["vfat", "ext4", "swap", "LVM2_member", "crypto_LUKS", "linux_raid_member"] }),
      lv("dm-0", "my-vg", "data", ["sdb4"]),
      crypt("dm-1", "luks-stick", ["sdb5"]),
      sdCard("mmcblk0", { fs: "ext4" }),
      usb("sdc", { fs: "crypto_LUKS" }),
      crypt("dm-2", "outer", ["sdc"]),
      lv("dm-3", "inner", "data", ["dm-2"]),
    ],
    mounts: [
      rootMount,
      mounted("sdb1", "/media/me/BOOT", "vfat"),
      mounted("sdb2", "/mnt/it's"),
      mounted("mmcblk0", "/a"),
      mounted("mmcblk0", "/a/b"),
    ],
    swaps: ["/dev/sdb3", "/mnt/it's/swap"],
  });
  const remedies = (name: string): readonly (string | null)[] => {
    const disk = disks[name];
    const verdict = disk === undefined ? null : judgeDisk(disk, { minimumBytes: null });
    return verdict?.verdict === "refused"
      ? verdict.reasons.map(({ remedy }) => remedy?.replaceAll(/ \S+(?=\/sdb)/g, " /dev") ?? null)
      : [];
  };
  expect(remedies("sdb")).toEqual([
    "udisksctl unmount -b /dev/sdb1",
    "umount '/mnt/it'\\''s'",
    "swapoff /dev/sdb3",
    "swapoff '/mnt/it'\\''s/swap'",
    "vgchange --activate n my-vg",
    "cryptsetup close luks-stick",
    "if nobody needs what is on it: wipefs --all /dev/sdb6",
  ]);
  expect(remedies("sdc")).toEqual(["vgchange --activate n inner", "cryptsetup close outer"]);
  expect(remedies("mmcblk0")).toEqual(["umount /a/b /a"]);
  expect(remedies("nvme0n1")).toEqual([null, null]);
});

describe("what the kernel does not tell stops everything:", () => {
  const tree = { disks: [root], mounts: [rootMount] };
  test("the list of disks", async () => {
    const { roots, keep } = build(tree);
    rmSync(join(roots.sys, "block"), { recursive: true });
    expect(await failureOf(collectDisks(roots, keep))).toMatchObject({ kind: "os" });
  });
  test("what is mounted", async () => {
    const { roots, keep } = build(tree);
    writeFileSync(join(roots.proc, "self/mountinfo"), "");
    expect(await failureOf(collectDisks(roots, keep))).toMatchObject({ kind: "os" });
    rmSync(join(roots.proc, "self/mountinfo"));
    expect(await failureOf(collectDisks(roots, keep))).toMatchObject({ kind: "os" });
  });
  test("what is swap, though not where there is no swap at all", async () => {
    const { roots, keep } = build(tree);
    rmSync(join(roots.proc, "swaps"));
    expect(await collectDisks(roots, keep)).toHaveLength(1);
    symlinkSync(".", join(roots.proc, "swaps"));
    expect(await failureOf(collectDisks(roots, keep))).toMatchObject({ kind: "os" });
  });
  test("and so does Ctrl-C", async () => {
    const { roots, keep } = build(tree);
    const reason = new Error("enough");
    expect(await failureOf(collectDisks(roots, keep, AbortSignal.abort(reason)))).toBe(reason);
  });
});

test("a link in /dev/disk/by-id that leads nowhere is no name of a disk", async () => {
  const { roots, keep } = build({ disks: [root], mounts: [rootMount] });
  symlinkSync("../../sdz", join(roots.dev, "disk/by-id/usb-gone"));
  const [disk] = await collectDisks(roots, keep);
  expect(disk?.byId.map((link) => link.slice(roots.dev.length))).toEqual([
    "/disk/by-id/nvme-Samsung_SSD_970_EVO_Plus_500GB_S4EVNX0R0",
  ]);
});

test("paths that must be kept are /, /home and the given ones, links resolved, what is missing by the folder above", async () => {
  const real = join(folder, "real.img");
  writeFileSync(real, "");
  symlinkSync(real, join(folder, "link.img"));
  const kept = await collectKeepPaths([join(folder, "link.img"), join(folder, "not/yet.img"), "/"]);
  expect(kept.map(({ path, real: to }) => [path, to])).toEqual([
    ["/", "/"],
    ["/home", expect.any(String)],
    [join(folder, "link.img"), real],
    [join(folder, "not/yet.img"), folder],
  ]);
  for (const { majorMinor } of kept) expect(majorMinor).toMatch(/^\d+:\d+$/);
});

describe("two loop devices over one file of two names", () => {
  const [one, other] = [join(folder, "one.img"), join(folder, "other.img")];
  writeFileSync(one, "");
  linkSync(one, other);
  writeFileSync(join(folder, "alone.img"), "");
  const loops = [loop("loop0", one), loop("loop1", other), loop("loop2", join(folder, "alone.img"))];
  const reasonsOf = (disk: Disk | undefined): string => {
    const verdict = disk === undefined ? null : judgeDisk(disk, { minimumBytes: null });
    return verdict?.verdict === "refused"
      ? verdict.reasons.map(({ reason, remedy }) => `${reason}: ${remedy}`).join("; ")
      : String(verdict?.verdict);
  };

  test("use each other, and can be freed of each other", async () => {
    const disks = await collect({ disks: [root, ...loops], mounts: [rootMount] });
    expect(Object.values(disks).slice(0, 3).map(reasonsOf)).toEqual([
      `loop0 is used by loop1, a loop device over ${other}: losetup --detach /dev/loop1`,
      `loop1 is used by loop0, a loop device over ${one}: losetup --detach /dev/loop0`,
      "confirm",
    ]);
    expect(disks["loop0"]?.kind).toBe("loop");
  });

  test("are both mounted when one of them is", async () => {
    const disks = await collect({ disks: [root, ...loops], mounts: [rootMount, mounted("loop1", "/mnt")] });
    expect(reasonsOf(disks["loop0"])).toStartWith("loop1 is mounted at /mnt: umount /mnt");
    expect(reasonsOf(disks["loop2"])).toBe("confirm");
  });

  test("hold the image under either name", async () => {
    const { roots } = build({ disks: [root, ...loops.slice(1)], mounts: [rootMount] });
    const disks = await collectDisks(roots, await collectKeepPaths([one, join(folder, "missing.img")]));
    const holding = disks.filter(({ uses }) => uses.some((use) => use.use === "holds" && use.path === one));
    expect(holding.map(({ name }) => name)).toContain("loop1");
    expect(holding.map(({ name }) => name)).not.toContain("loop2");
  });
});

test("what is named as a target is looked at without being opened", async () => {
  const file = join(folder, "a.img");
  writeFileSync(file, "");
  const link = join(folder, "to-a");
  symlinkSync(file, link);
  expect(await lookAtTarget(link)).toEqual({
    named: link,
    path: link,
    real: file,
    type: "file",
    majorMinor: null,
  });
  expect((await lookAtTarget(folder)).type).toBe("folder");
  expect((await lookAtTarget("/dev/null")).type).toBe("other");
  expect(await lookAtTarget("no/such")).toMatchObject({
    type: "missing",
    path: join(process.cwd(), "no/such"),
  });
});

test("of a stack of devices, each disk is told by its own partition that it holds the path", async () => {
  const disks = await collect({
    disks: [
      sata("sda", { parts: ["linux_raid_member"] }),
      sata("sdb", { parts: ["linux_raid_member"] }),
      virtual("md0", { mdLevel: "raid1", on: ["sda1", "sdb1"] }),
      lv("dm-0", "vg", "root", ["md0"]),
    ],
    mounts: [mounted("dm-0", "/")],
  });
  for (const [name, device] of Object.entries({ sda: "sda1", sdb: "sdb1", md0: "md0", "dm-0": "dm-0" }))
    expect(disks[name]?.uses.filter(({ use }) => use === "holds")).toEqual([
      { use: "holds", device, path: "/" },
      { use: "holds", device, path: "/home" },
    ]);
});

test("a disk whose number is that of a kept path holds it, even where the mount cannot be seen", async () => {
  const { roots } = build({ disks: [nvme("nvme0n1", { parts: ["ext4"] }), usb("sdb")], mounts: [] });
  const disks = await collectDisks(roots, [{ path: "/", real: "/", majorMinor: "259:1", inode: null }]);
  expect(disks.map(({ name, uses, doubts }) => [name, uses, doubts])).toEqual([
    ["nvme0n1", [{ use: "holds", device: "nvme0n1p1", path: "/" }], ["it is not known which disk holds /"]],
    ["sdb", [], ["it is not known which disk holds /"]],
  ]);
});
