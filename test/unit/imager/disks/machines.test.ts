import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectDisks } from "../../../../src/imager/disks/collect-disks.ts";
import type { Disk, Verdict } from "../../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../../src/imager/disks/verdict.ts";
import {
  cardSlot,
  emmc,
  nvme,
  sata,
  scsiDisk,
  sdCard,
  usb,
  usbHardDisk,
  virtio,
  xen,
} from "../../../fixtures/disk-hardware.ts";
import { layouts, systemOn } from "../../../fixtures/disk-layouts.ts";
import { machines, type Machine } from "../../../fixtures/disk-machines.ts";
import { cardStates } from "../../../fixtures/disk-states.ts";
import { buildTree, mounted, partitionName, type Hardware, type Tree } from "../../../fixtures/disk-tree.ts";

// in memory where there is such a place: the trees have tens of thousands of tiny files
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "berry-disks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of the images in these tests. */
const minimumBytes = 2 * 1024 ** 3;

const cards: readonly Hardware[] = [usb("sdz"), cardSlot("sdz", 1), sdCard("mmcblk7")];
const systemDisks: Readonly<Record<string, readonly Hardware[]>> = {
  "an NVMe disk": [nvme("nvme0n1")],
  "a SATA disk": [sata("sda")],
  "a SCSI disk": [scsiDisk("sda")],
  "a USB stick": [usb("sda")],
  "a USB hard disk": [usbHardDisk("sda")],
  "an SD card": [sdCard("mmcblk0")],
  "an eMMC": emmc("mmcblk0"),
  "a virtio disk": [virtio("vda")],
  "a Xen disk": [xen("xvda")],
};

function* systems(): Generator<readonly [string, Machine]> {
  let next = 0;
  for (const [on, [disk, ...beside]] of Object.entries(systemDisks))
    for (const [name, layout] of Object.entries(layouts)) {
      const card = cards[next % cards.length];
      next += 1;
      if (disk === undefined || card === undefined) continue;
      const words = [
        "holds /",
        ...layout.says.map((says) => says((index) => partitionName(disk.name, index))),
      ];
      yield [
        `${name} on ${on}, and a card`,
        {
          tree: systemOn(disk, [...beside, card], layout),
          expect: {
            [disk.name]: `refused ${words.join(" & ")}`,
            ...Object.fromEntries(beside.map((area) => [area.name, "refused is a boot area"])),
            [card.name]: "writable",
          },
        },
      ];
    }
}

function* cardsInEveryState(): Generator<readonly [string, Machine]> {
  const kinds = {
    "a USB stick": usb("sdb"),
    "a card in a reader": cardSlot("sdc", 1),
    "a card in a slot": sdCard("mmcblk0"),
  };
  for (const [kind, card] of Object.entries(kinds))
    for (const [name, { change, rest, expect: verdict }] of Object.entries(cardStates)) {
      const part = (index: number): string => partitionName(card.name, index);
      const { more = [], mounts = [], ...others } = rest?.(part, card.name) ?? {};
      const words = verdict
        .replaceAll("DISK", card.name)
        .replaceAll(/PART(\d)/g, (_, index: string) => part(Number(index)));
      const loops = more.filter((disk) => disk.name.startsWith("loop")).map((disk) => [disk.name, "refused"]);
      yield [
        `${kind}, ${name}`,
        {
          tree: {
            disks: [nvme("nvme0n1", { parts: ["vfat", "ext4"] }), { ...card, ...change }, ...more],
            mounts: [mounted("nvme0n1p2", "/"), ...mounts],
            ...others,
          },
          expect: {
            nvme0n1: "refused nvme0n1p2 holds / and /home",
            [card.name]: words,
            ...Object.fromEntries(loops),
          },
        },
      ];
    }
}

const all = [...Object.entries(machines), ...systems(), ...cardsInEveryState()];

/** What is in use by the tree's own words, told without the code that is tested. */
function disksInUse(tree: Tree): Set<string> {
  const devices = new Map(
    tree.disks.flatMap((disk) =>
      [disk.name, ...(disk.parts ?? []).map((_, index) => partitionName(disk.name, index))].map(
        (name) => [name, disk] as const,
      ),
    ),
  );
  const used = new Set<string>();
  const use = (name: string | undefined): void => {
    const disk = name === undefined ? undefined : devices.get(name);
    if (disk === undefined) return;
    used.add(disk.name);
    disk.on?.forEach(use);
  };
  for (const { device } of tree.mounts ?? []) use(device ?? undefined);
  for (const path of tree.swaps ?? []) use(path.replace("/dev/", ""));
  for (const disk of tree.disks) {
    disk.on?.forEach(use);
    if (disk.backingFile?.startsWith("/dev/") === true) use(disk.backingFile.split(/[/ ]/)[2]);
    const twins = tree.disks.filter(({ backingFile }) => backingFile && backingFile === disk.backingFile);
    if (twins.length > 1) use(disk.name);
    const member = /^(.*_member|btrfs|bcache|bcachefs|crypto_LUKS|BitLocker|swsuspend)(:|$)/;
    const isKnown = tree.withoutUdev !== true && disk.withoutUdev !== true;
    if (isKnown && [disk.fs ?? "", ...(disk.parts ?? [])].some((fs) => member.test(fs))) use(disk.name);
  }
  tree.btrfs?.flat().forEach(use);
  return used;
}

let trees = 0;

async function judge(
  tree: Tree,
): Promise<{ readonly disks: readonly Disk[]; readonly verdicts: ReadonlyMap<string, Verdict> }> {
  trees += 1;
  const place = join(folder, String(trees));
  mkdirSync(place);
  const { roots, keep } = buildTree(place, tree);
  const disks = await collectDisks(roots, keep);
  rmSync(place, { recursive: true });
  return { disks, verdicts: new Map(disks.map((disk) => [disk.name, judgeDisk(disk, { minimumBytes })])) };
}

function textOf(verdict: Verdict): string {
  switch (verdict.verdict) {
    case "writable":
      return "writable";
    case "confirm":
      return `confirm ${verdict.reason}`;
    case "refused":
      return `refused ${verdict.reasons.map(({ reason }) => reason).join("; ")}`;
  }
}

describe("on a machine with", () => {
  test.each(all)("%s, each disk is judged as it must be", async (_, { tree, expect: expected }) => {
    const { disks, verdicts } = await judge(tree);
    for (const [name, words] of Object.entries(expected)) {
      const verdict = verdicts.get(name);
      const text = verdict === undefined ? `${name} is missing` : textOf(verdict);
      const [kind = "", ...rest] = words.split(" ");
      expect(text).toStartWith(kind);
      for (const fragment of rest.join(" ").split(" & ")) expect(text).toContain(fragment);
    }
    // what a tree says nothing of is made of other devices, and refused
    for (const { name, kind } of disks)
      if (!(name in expected))
        expect([name, kind, verdicts.get(name)?.verdict]).toEqual([name, "part", "refused"]);
    for (const name of disksInUse(tree))
      expect([name, verdicts.get(name)?.verdict ?? "refused"]).toEqual([name, "refused"]);
  });
});

test("there are more than 200 machines, and no two are the same", () => {
  const descriptions = new Set(all.map(([, { tree }]) => JSON.stringify(tree)));
  expect(descriptions.size).toBe(all.length);
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(200);
});

test("of the machines, many have a card that may be written", () => {
  const writable = all.filter(([, { expect: expected }]) => Object.values(expected).includes("writable"));
  expect(writable.length).toBeGreaterThan(100);
});
