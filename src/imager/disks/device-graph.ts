import type { BlockDevice, BlockDevices } from "./block-device.ts";
import type { Holder } from "./disk.ts";

/** What stands upon what. */
export interface DeviceGraph {
  readonly devices: BlockDevices;
  /** What a device is made of, itself first, down to whole disks and their partitions. */
  below(name: string): BlockDevice[];
  /** What stands directly upon it; of loop devices over one file each stands upon the other. */
  holdersOf(name: string): BlockDevice[];
}

export function deviceGraph(devices: BlockDevices): DeviceGraph {
  // either side may lack an entry for a moment: both are asked
  const holders = new Map<string, Set<string>>();
  const slaves = new Map<string, Set<string>>();
  const stands = (holder: string, slave: string): void => {
    holders.set(slave, (holders.get(slave) ?? new Set()).add(holder));
    slaves.set(holder, (slaves.get(holder) ?? new Set()).add(slave));
  };
  for (const device of devices.values()) {
    for (const holder of device.holders ?? []) stands(holder, device.name);
    for (const slave of device.slaves) stands(device.name, slave);
    for (const other of devices.values()) if (sharesFile(device, other)) stands(device.name, other.name);
  }
  return {
    devices,
    below(name) {
      const seen = new Set<string>();
      const walk = (at: string): void => {
        if (seen.has(at)) return;
        seen.add(at);
        for (const slave of slaves.get(at) ?? []) walk(slave);
        const whole = devices.get(at)?.whole;
        if (whole !== undefined) walk(whole);
      };
      walk(name);
      return [...seen].flatMap((at) => devices.get(at) ?? []);
    },
    holdersOf: (name) =>
      [...(holders.get(name) ?? [])].toSorted().map((holder) => devices.get(holder) ?? nameless(holder)),
  };
}

/** Two loop devices over one file: what is written to one is read from the other. */
export function sharesFile(one: BlockDevice, other: BlockDevice): boolean {
  if (one.name === other.name || one.backingFile === null) return false;
  return (
    one.backingFile === other.backingFile ||
    (typeof one.backingInode === "string" && one.backingInode === other.backingInode)
  );
}

/** sysfs names a holder that has no entry of its own: it holds all the same. */
function nameless(name: string): BlockDevice {
  return {
    name,
    majorMinor: "",
    whole: name,
    sizeBytes: null,
    holders: null,
    slaves: [],
    deviceMapper: null,
    mdLevel: null,
    backingFile: null,
    udev: null,
    hardware: null,
  };
}

/** By the prefix that each tool gives to the device mapper's UUIDs, or by the kernel's name. */
export function holderOf({ name, deviceMapper }: BlockDevice): Holder {
  if (deviceMapper !== null) {
    const { uuid, name: dmName } = deviceMapper;
    // LVM joins group and volume by one hyphen, and doubles those within
    const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--).*)$/.exec(dmName) ?? [];
    if (uuid.startsWith("LVM-") && group !== undefined && volume !== undefined)
      return { kind: "lvm", group: group.replaceAll("--", "-"), volume: volume.replaceAll("--", "-") };
    if (uuid.startsWith("CRYPT-")) return { kind: "crypt", name: dmName };
    if (uuid.startsWith("mpath-")) return { kind: "multipath", name: dmName };
    return { kind: "device-mapper", name: dmName };
  }
  if (name.startsWith("md")) return { kind: "md", name };
  if (/^bcache\d/.test(name)) return { kind: "bcache", name };
  if (/^loop\d/.test(name)) return { kind: "loop", name };
  return { kind: "other", name };
}

/** What a device made of others is, such as `LVM volume vg/root`. */
export function describeHolder(device: BlockDevice): string {
  const holder = holderOf(device);
  switch (holder.kind) {
    case "lvm":
      return `LVM volume ${holder.group}/${holder.volume}`;
    case "crypt":
      return `crypt ${holder.name}`;
    case "md":
      return device.mdLevel === null || device.mdLevel === "" ? "RAID" : `RAID (${device.mdLevel})`;
    case "multipath":
      return `multipath ${holder.name}`;
    case "bcache":
      return "bcache";
    case "device-mapper":
      return `device-mapper ${holder.name}`;
    case "loop":
      return `a loop device over ${device.backingFile ?? "it"}`;
    case "other":
      return "another block device";
  }
}
