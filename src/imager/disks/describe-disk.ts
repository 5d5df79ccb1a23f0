import { printable } from "../../core/printable.ts";
import type { BlockDevice, Hardware } from "./block-device.ts";
import { describeHolder } from "./device-graph.ts";
import type { Bus, Content, DiskKind } from "./disk.ts";
import { decodeUdev } from "./udev-record.ts";

/** By the kernel's names, which its drivers have kept since their beginning (Documentation/admin-guide/devices.txt). */
export function kindOf({ name, slaves }: BlockDevice, hardware: Hardware): DiskKind {
  if (/^(dm-|md|zram|ram|bcache)\d*/.test(name)) return "part";
  if (/^loop\d+$/.test(name)) return slaves.length > 0 ? "part" : "loop";
  if (/^sr\d+$/.test(name)) return "optical";
  if (/^fd\d+$/.test(name)) return "floppy";
  if (/^mmcblk\d+(boot\d+|rpmb|gp\d+)$/.test(name)) return "emmc-boot";
  if (/^mmcblk\d+$/.test(name)) return hardware.type === "SD" ? "sd-card" : "emmc";
  if (/^(nvme\d+n\d+|vd[a-z]+|xvd[a-z]+\d*|hd[a-z]+)$/.test(name)) return "disk";
  // SCSI's direct-access devices: disks, and those of the reduced set of commands
  if (/^sd[a-z]+$/.test(name)) return hardware.type === "0" || hardware.type === "14" ? "disk" : "virtual";
  return "virtual";
}

/** By the name, then by the path in /sys/devices, then by udev. */
export function busOf({ name, udev }: BlockDevice, { sysPath }: Hardware): Bus {
  if (name.startsWith("loop")) return "loop";
  if (name.startsWith("nvme")) return "nvme";
  if (name.startsWith("mmcblk")) return "mmc";
  if (/^vd[a-z]/.test(name)) return "virtio";
  if (!/^sd[a-z]/.test(name)) return "other";
  const idBus = udev?.properties["ID_BUS"];
  if (/\/usb\d+\//.test(sysPath) || idBus === "usb") return "usb";
  return /\/ata\d+\//.test(sysPath) || idBus === "ata" ? "sata" : "scsi";
}

export function modelOf(device: BlockDevice, hardware: Hardware): string {
  if (device.backingFile !== null) return device.backingFile;
  if (device.deviceMapper !== null || device.mdLevel !== null) return describeHolder(device);
  const {
    ID_BUS: idBus,
    ID_MODEL_ENC: idModel = "",
    ID_VENDOR_ENC: idVendor = "",
  } = device.udev?.properties ?? {};
  const bus = busOf(device, hardware);
  if (bus === "mmc") return line(hardware.cardName ?? "");
  if (bus === "nvme") return line(hardware.model ?? "");
  // the numbers of a PCI device
  if (bus !== "usb" && bus !== "sata" && bus !== "scsi") return line(decodeUdev(idModel));
  // SCSI cuts an ATA disk's model after 16 characters
  const fromUdev = line(decodeUdev(idBus === "ata" ? idModel : `${idVendor} ${idModel}`));
  if (idBus === "ata" && fromUdev !== "") return fromUdev;
  const vendor = bus === "sata" && hardware.vendor === "ATA" ? "" : (hardware.vendor ?? "");
  const model = line(`${vendor} ${hardware.model ?? ""}`);
  return model === "" ? fromUdev : model;
}

/** What udev found on a disk or a partition; null: nothing, or it did not look. */
export function contentOf({ name, whole, udev, sizeBytes }: BlockDevice): Content | null {
  const {
    ID_FS_TYPE: fileSystem = "",
    ID_PART_TABLE_TYPE: table = "",
    ID_FS_LABEL_ENC: encoded,
    ID_FS_LABEL: label = "",
  } = udev?.properties ?? {};
  // a partition's record repeats the kind of the table that it stands in
  const type = fileSystem === "" && name === whole ? table : fileSystem;
  if (type === "") return null;
  return {
    device: name,
    type,
    label: fileSystem === "" ? "" : encoded === undefined ? label : decodeUdev(encoded),
    sizeBytes: sizeBytes ?? 0,
  };
}

function line(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, " "));
}
