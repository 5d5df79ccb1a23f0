import { printable } from "../../core/printable.ts";
import { word } from "../script/quote.ts";
import type { Disk, DiskUse, Holder, Refusal } from "./disk.ts";

type Use<Name extends DiskUse["use"]> = Extract<DiskUse, { use: Name }>;

/** Why a disk that is in use may not be written to, and what would free it. */
export function refusalsOfUses(disk: Disk): Refusal[] {
  const folder = disk.path.slice(0, -disk.name.length);
  const holds = usesOf(disk, "holds");
  const reasons = [
    ...holding(holds),
    ...mounted(usesOf(disk, "mounted"), folder),
    ...usesOf(disk, "swap").map(({ device, file }) =>
      file === undefined
        ? { reason: `${device} is swap`, remedy: `swapoff ${folder}${device}` }
        : {
            reason: `${device} holds the swap file ${printable(file)}`,
            remedy: `swapoff ${word(printable(file))}`,
          },
    ),
    ...usesOf(disk, "held").map(({ device, by, as, holder }) => ({
      reason: `${device} is used by ${by}, ${printable(as)}`,
      remedy: release(holder),
    })),
    ...members(disk, folder),
  ];
  // who could follow such advice for the system's own disk would lose the system
  return holds.length === 0 ? reasons : reasons.map(({ reason }) => ({ reason, remedy: null }));
}

function usesOf<Name extends DiskUse["use"]>(disk: Disk, name: Name): Use<Name>[] {
  return disk.uses.filter((use): use is Use<Name> => use.use === name);
}

function holding(uses: readonly Use<"holds">[]): Refusal[] {
  return [...groups(uses, ({ device }) => device)].map(([device, held]) => ({
    reason: `${device} holds ${list(held.map(({ path }) => path))}`,
    remedy: null,
  }));
}

function mounted(uses: readonly Use<"mounted">[], folder: string): Refusal[] {
  return [...groups(uses, ({ device }) => device)].map(([device, mounts]) => {
    const places = mounts.map(({ at }) => at);
    const byDesktop = places.length === 1 && places.every((at) => /^\/(run\/)?media\//.test(at));
    return {
      reason: `${device} is mounted at ${list(places)}`,
      remedy: byDesktop
        ? `udisksctl unmount -b ${folder}${device}`
        : `umount ${places
            .toReversed()
            .map((place) => word(printable(place)))
            .join(" ")}`,
    };
  });
}

/** Of those that are in use right now, the use says enough; signatures are not to be wiped there. */
function members(disk: Disk, folder: string): Refusal[] {
  const inUse = new Set(disk.uses.flatMap((use) => (use.use === "member" ? [] : [use.device])));
  return usesOf(disk, "member")
    .filter(({ device }) => !inUse.has(device))
    .map(({ device, of }) => ({
      reason: `${device} ${belonging(of)}`,
      remedy: `if nobody needs what is on it: wipefs --all ${folder}${device}`,
    }));
}

function belonging(of: string): string {
  const named: Readonly<Record<string, string>> = {
    LVM2_member: "belongs to an LVM volume group",
    linux_raid_member: "belongs to a RAID",
    zfs_member: "belongs to a ZFS pool",
    btrfs: "holds a btrfs, which may span other disks",
    bcachefs: "holds a bcachefs, which may span other disks",
    crypto_LUKS: "is encrypted (LUKS)",
    BitLocker: "is encrypted (BitLocker)",
    swsuspend: "holds the memory of a sleeping system",
    multipath: "is one of several paths to a disk",
  };
  return named[of] ?? `holds a part of something else (${printable(of)})`;
}

function release(holder: Holder): string | null {
  switch (holder.kind) {
    case "lvm":
      return `vgchange --activate n ${word(printable(holder.group))}`;
    case "crypt":
      return `cryptsetup close ${word(printable(holder.name))}`;
    case "md":
      return `mdadm --stop /dev/${holder.name}`;
    case "multipath":
      return `multipath -f ${word(printable(holder.name))}`;
    case "device-mapper":
      return `dmsetup remove ${word(printable(holder.name))}`;
    case "loop":
      return `losetup --detach /dev/${holder.name}`;
    case "bcache":
    case "other":
      return null;
  }
}

function groups<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const grouped = new Map<string, T[]>();
  for (const value of values) grouped.set(key(value), [...(grouped.get(key(value)) ?? []), value]);
  return grouped;
}

/** The first three, and how many more. */
function list(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).map(printable);
  if (paths.length > 3) return `${shown.join(", ")} and ${paths.length - 3} more`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}
