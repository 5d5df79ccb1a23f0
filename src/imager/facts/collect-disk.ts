import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { DiskFacts } from "./host-facts.ts";

/** Of the folder, or of the nearest one above that exists. */
export async function diskFacts(directory: string): Promise<DiskFacts> {
  const existing = await nearestFolder(directory);
  const { bavail, bsize, type } = await statfs(existing);
  const fileSystem = fileSystems[type] ?? `file system 0x${type.toString(16)}`;
  return {
    directory,
    freeBytes: bavail * bsize,
    fileSystem,
    keepsAttributes: !withoutAttributes.includes(fileSystem),
  };
}

/** One file system that knows ioctl_ficlone(2); an xfs of before 2018 may not, and fills up with a message of its own. */
export async function shareBlocks(one: string, other: string): Promise<boolean> {
  const [here, there] = [await nearestFolder(one), await nearestFolder(other)];
  const [{ dev }, { dev: otherDev }] = [await stat(here), await stat(there)];
  return dev === otherDev && sharingFileSystems.includes(fileSystems[(await statfs(here)).type] ?? "");
}

async function nearestFolder(directory: string): Promise<string> {
  let existing = directory;
  while (
    !(await stat(existing).then(
      (stats) => stats.isDirectory(),
      () => false,
    )) &&
    existing !== "/"
  )
    existing = dirname(existing);
  return existing;
}

const sharingFileSystems = ["btrfs", "xfs", "bcachefs"];

/** statfs(2)'s magic numbers. */
const fileSystems: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x9123683e: "btrfs",
  0x58465342: "xfs",
  0x01021994: "tmpfs",
  0x6969: "nfs",
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x5346544e: "ntfs",
  0x7366746e: "ntfs3",
  0x65735546: "fuse",
  0xfe534d42: "smb",
  0xff534d42: "cifs",
  0x794c7630: "overlayfs",
  0x2fc12fc1: "zfs",
  0xf2f52010: "f2fs",
  0xca451a4e: "bcachefs",
  0x01021997: "9p",
};
const withoutAttributes = ["nfs", "vfat", "exfat", "ntfs", "ntfs3", "fuse", "smb", "cifs", "9p"];
