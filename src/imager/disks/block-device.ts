/** What the kernel and udev tell of a disk or a partition, before anything is concluded from it. */
export interface BlockDevice {
  /** The kernel's name, such as `sdb1` or `cciss/c0d0`. */
  readonly name: string;
  /** `8:17`; empty: unknown. */
  readonly majorMinor: string;
  /** The name of the whole disk: its own, unless it is a partition. */
  readonly whole: string;
  /** null: unknown. */
  readonly sizeBytes: number | null;
  /** Kernel's names of the devices that stand upon it; null: unknown. */
  readonly holders: readonly string[] | null;
  /** Kernel's names of the devices it is made of; of a loop device over a block device that one. */
  readonly slaves: readonly string[];
  readonly deviceMapper: { readonly name: string; readonly uuid: string } | null;
  /** Such as `raid1`; null: no md. */
  readonly mdLevel: string | null;
  /** Of a loop device; the kernel adds ` (deleted)`. */
  readonly backingFile: string | null;
  /** `st_dev:st_ino` of the regular file that a loop device stands upon; null: none, or it cannot be looked at. */
  readonly backingInode?: string | null;
  /** null: udev knows nothing of it. */
  readonly udev: UdevRecord | null;
  /** Of a whole disk. */
  readonly hardware: Hardware | null;
}

export interface UdevRecord {
  /** Such as ID_FS_TYPE. */
  readonly properties: Readonly<Record<string, string>>;
  /** Below /dev: `disk/by-uuid/0123-4567`. */
  readonly links: readonly string[];
}

/** Attributes of /sys/block/NAME as they stand there, without space at the end; null: there is none. */
export interface Hardware {
  /** The path in /sys/devices, which names every bus on the way. */
  readonly sysPath: string;
  readonly ro: string | null;
  readonly removable: string | null;
  readonly logicalBlockSize: string | null;
  readonly diskSequence: string | null;
  readonly vendor: string | null;
  readonly model: string | null;
  /** SCSI's number of the kind of device, or mmc's `SD` and `MMC`. */
  readonly type: string | null;
  /** The product's name on an SD card. */
  readonly cardName: string | null;
  readonly serial: string | null;
  /** Absolute paths of the links in /dev/disk/by-id. */
  readonly byId: readonly string[];
}

export type BlockDevices = ReadonlyMap<string, BlockDevice>;
