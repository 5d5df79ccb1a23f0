/** A whole disk as the kernel and udev describe it; nothing of it was opened. */
export interface Disk {
  /** The kernel's name, such as `sdb` or `mmcblk0`. */
  readonly name: string;
  /** Such as `/dev/sdb`. */
  readonly path: string;
  /** Absolute paths of its links in /dev/disk/by-id. */
  readonly byId: readonly string[];
  readonly identity: DiskIdentification;
  readonly logicalSectorBytes: number;
  /** Vendor and model as one line, such as `Generic STORAGE DEVICE`; a loop device's is the path of its file; empty: unknown. */
  readonly model: string;
  readonly bus: Bus;
  readonly kind: DiskKind;
  /** What the kernel says; card slots of a board are not `removable`, though their cards are. */
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  readonly partitions: readonly Partition[];
  /** What udev found on the disk and on each partition. */
  readonly contents: readonly Content[];
  /** Why the system needs it, in the order in which it was found. */
  readonly uses: readonly DiskUse[];
  /** What could not be found out, as reasons: in lower case, without a full stop. */
  readonly doubts: readonly string[];
}

export interface Partition {
  /** The kernel's name, such as `sdb1`. */
  readonly name: string;
  /** `8:17`. */
  readonly majorMinor: string;
  readonly sizeBytes: number;
}

/** What must be the same before and after the disk is opened. */
export interface DiskIdentification {
  /** `8:16`. */
  readonly majorMinor: string;
  readonly sizeBytes: number;
  /** Empty: it has none. */
  readonly serial: string;
  /** The kernel's count of media (Linux >= 5.15): another card in the same slot has another; null: unknown. */
  readonly sequence: number | null;
}

export type Bus = "usb" | "mmc" | "nvme" | "sata" | "scsi" | "virtio" | "loop" | "other";

/**
 * `part`: what is made of other devices or of memory (LVM, md, crypt, zram, a loop device over another device); `virtual`: network block devices, raw
 * flash and whatever is unknown. Both, and optical drives, floppies and the boot areas of an eMMC, are never written to.
 */
export type DiskKind =
  | "disk"
  | "sd-card"
  | "emmc"
  | "emmc-boot"
  | "loop"
  | "optical"
  | "floppy"
  | "virtual"
  | "part";

export interface Content {
  /** Kernel's name of the disk or partition. */
  readonly device: string;
  /** As libblkid names it: `vfat`, `ext4`, `crypto_LUKS`, `gpt`, … */
  readonly type: string;
  readonly label: string;
  readonly sizeBytes: number;
}

/** Each names the disk or partition that is used. */
export type DiskUse =
  | { readonly use: "mounted"; readonly device: string; readonly at: string }
  /** `file`: a swap file on it; else the device itself is swap. */
  | { readonly use: "swap"; readonly device: string; readonly file?: string }
  /** Another block device stands upon it: `by` is its kernel's name, `as` what it is, such as `LVM volume vg/root`. */
  | {
      readonly use: "held";
      readonly device: string;
      readonly by: string;
      readonly as: string;
      readonly holder: Holder;
    }
  /** A member of something that need not be active: `LVM2_member`, `linux_raid_member`, `zfs_member`, `btrfs`, … */
  | { readonly use: "member"; readonly device: string; readonly of: string }
  /** One of the paths that must not be lost lies on it: /, /home, the image. */
  | { readonly use: "holds"; readonly device: string; readonly path: string };

/** Kinds of block devices that stand upon others, and the name by which their tool knows them. */
export type Holder =
  | { readonly kind: "lvm"; readonly group: string; readonly volume: string }
  | {
      readonly kind: "crypt" | "md" | "multipath" | "bcache" | "loop" | "device-mapper" | "other";
      readonly name: string;
    };

/** Where the kernel and udev tell of disks; parameters, so that tests bring their own. */
export interface SystemRoots {
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
  readonly udev: string;
}

export const systemRoots: SystemRoots = { sys: "/sys", proc: "/proc", dev: "/dev", udev: "/run/udev" };

/** Whether a disk may be written to. */
export type Verdict =
  | { readonly verdict: "writable" }
  /** Not removable: it has to be named by /dev/disk/by-id and confirmed, or confirmed by --yes-really. */
  | { readonly verdict: "confirm"; readonly reason: string }
  | { readonly verdict: "refused"; readonly reasons: readonly Refusal[] };

export interface Refusal {
  /** In lower case, without a full stop: `sdb1 is mounted at /media/BACKUP`. */
  readonly reason: string;
  /** What would change it, best a command; null: nothing. */
  readonly remedy: string | null;
}

/** A path whose disk must not be written to. */
export interface KeepPath {
  /** As people know it: `/`, `/home`, the image. */
  readonly path: string;
  /** Free of symbolic links. */
  readonly real: string;
  /** Of the file system it lies on, or of itself where it is a block device, as stat(2) says; null: unknown. */
  readonly majorMinor: string | null;
  /** `st_dev:st_ino` of a regular file; null: it is none, or there is nothing. */
  readonly inode: string | null;
}

export type KeepPaths = readonly KeepPath[];
