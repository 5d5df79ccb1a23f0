import type { BlockDevice } from "./block-device.ts";

/** libblkid's names of what is, or may be, a piece of something larger or the hidden content of a disk. */
const memberTypes = new Set([
  "LVM1_member",
  "LVM2_member",
  "linux_raid_member",
  "zfs_member",
  "mpath_member",
  "btrfs",
  "bcachefs",
  "bcache",
  "crypto_LUKS",
  "BitLocker",
  "cs_fvault2",
  "drbd",
  "stratis",
  "vdo",
  "ceph_bluestore",
  "DM_snapshot_cow",
  "DM_integrity",
  "DM_verity_hash",
  // a sleeping system wakes up from it
  "swsuspend",
  "swsupend",
]);

/** What a disk or partition belongs to even while nothing is mounted or assembled, as udev found it. */
export function isMemberOf({ udev }: BlockDevice): string[] {
  if (udev === null) return [];
  const {
    ID_FS_TYPE: type = "",
    ID_FS_USAGE: usage = "",
    ID_FS_AMBIVALENT: ambivalent,
    DM_MULTIPATH_DEVICE_PATH: multipath,
  } = udev.properties;
  const found: string[] = [];
  if (memberTypes.has(type) || type.endsWith("_raid_member") || usage === "raid" || usage === "crypto")
    found.push(type === "" ? usage : type);
  // signatures of several things: no one knows which one is meant
  if (ambivalent !== undefined) found.push(`several at once, ${ambivalent}`);
  if (multipath === "1") found.push("multipath");
  return found;
}
