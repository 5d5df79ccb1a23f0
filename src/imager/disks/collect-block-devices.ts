import { readFile, readdir, readlink, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { BerryError } from "../../core/errors.ts";
import type { BlockDevice, BlockDevices, Hardware, UdevRecord } from "./block-device.ts";
import type { SystemRoots } from "./disk.ts";
import { resolveBacking } from "./collect-backing.ts";
import { parseUdevRecord } from "./udev-record.ts";

/**
 * Every disk and partition that the kernel knows, by name; devices without a medium too. What is not told is null.
 *
 * @throws BerryError `os` when /sys/block cannot be read
 */
export async function collectBlockDevices(roots: SystemRoots, signal?: AbortSignal): Promise<BlockDevices> {
  const folder = join(roots.sys, "block");
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new BerryError("os", `cannot read ${folder}, where Linux lists the disks`, { cause });
  });
  const links = await linksById(roots.dev);
  const devices = await Promise.all(
    entries
      .toSorted()
      .map(async (entry) => await diskAndPartitions(roots, join(folder, entry), entry, links)),
  );
  signal?.throwIfAborted();
  return await resolveBacking(new Map(devices.flat().map((device) => [device.name, device])), roots.dev);
}

async function diskAndPartitions(
  roots: SystemRoots,
  path: string,
  entry: string,
  links: ReadonlyMap<string, readonly string[]>,
): Promise<BlockDevice[]> {
  // one path of several to an NVMe disk: it cannot be opened, the disk has an entry of its own
  if ((await attribute(path, "hidden")) === "1") return [];
  const whole = deviceName(entry);
  const hardware = await readHardware(path, links.get(whole) ?? []);
  const names = await readdir(path).catch((): string[] => []);
  const partitions = await Promise.all(
    names.map(async (name) => {
      if (!name.startsWith(entry) || (await attribute(join(path, name), "partition")) === null) return [];
      return [await readDevice(roots, join(path, name), deviceName(name), whole, null)];
    }),
  );
  return [await readDevice(roots, path, whole, whole, hardware), ...partitions.flat().toSorted(byName)];
}

const collator = new Intl.Collator("en", { numeric: true });

/** As people count: sdb2 before sdb10. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return collator.compare(one.name, other.name);
}

async function readDevice(
  roots: SystemRoots,
  path: string,
  name: string,
  whole: string,
  hardware: Hardware | null,
): Promise<BlockDevice> {
  const [majorMinor, sectors, dmName, dmUuid, mdLevel, backingFile, holders, slaves] = await Promise.all([
    attribute(path, "dev"),
    attribute(path, "size"),
    attribute(path, "dm/name"),
    attribute(path, "dm/uuid"),
    attribute(path, "md/level"),
    attribute(path, "loop/backing_file"),
    deviceNames(join(path, "holders")),
    deviceNames(join(path, "slaves")),
  ]);
  return {
    name,
    majorMinor: majorMinor ?? "",
    whole,
    // the kernel counts in 512 bytes, whatever the disk's sectors are
    sizeBytes: sectors !== null && /^\d+$/.test(sectors) ? Number(sectors) * 512 : null,
    holders,
    slaves: slaves ?? [],
    deviceMapper: dmName === null ? null : { name: dmName, uuid: dmUuid ?? "" },
    mdLevel,
    backingFile,
    udev: majorMinor === null ? null : await readUdev(roots.udev, majorMinor),
    hardware,
  };
}

async function readHardware(path: string, byId: readonly string[]): Promise<Hardware> {
  const sysPath = await realpath(path).catch(() => path);
  const [ro, removable, logicalBlockSize, diskSequence, vendor, model, type, cardName] = await Promise.all(
    [
      "ro",
      "removable",
      "queue/logical_block_size",
      "diskseq",
      "device/vendor",
      "device/model",
      "device/type",
      "device/name",
    ].map(async (name) => (await attribute(path, name))?.trim() ?? null),
  );
  return {
    sysPath,
    ro: ro ?? null,
    removable: removable ?? null,
    logicalBlockSize: logicalBlockSize ?? null,
    diskSequence: diskSequence ?? null,
    vendor: vendor ?? null,
    model: model ?? null,
    type: type ?? null,
    cardName: cardName ?? null,
    serial: await readSerial(path, sysPath),
    byId,
  };
}

/** From the kernel rather than from udev, whose record is rewritten whenever somebody wrote to the disk. */
async function readSerial(path: string, sysPath: string): Promise<string | null> {
  for (const name of ["device/cid", "device/serial", "serial", "device/wwid", "wwid"]) {
    const serial = (await attribute(path, name))?.trim() ?? "";
    if (serial !== "") return serial;
  }
  // the USB device above the disk
  for (let folder = sysPath; folder !== dirname(folder); folder = dirname(folder)) {
    if ((await attribute(folder, "idVendor")) === null) continue;
    return (await attribute(folder, "serial"))?.trim() ?? null;
  }
  return null;
}

/** One line of an attribute; only the newline is cut off, as the path of a file may end with a space. */
async function attribute(path: string, name: string): Promise<string | null> {
  return await readFile(join(path, name), "utf8").then(
    (text) => text.replace(/\n$/, ""),
    () => null,
  );
}

async function deviceNames(folder: string): Promise<string[] | null> {
  return await readdir(folder).then(
    (names) => names.toSorted().map(deviceName),
    () => null,
  );
}

/** sysfs writes the slash in `cciss/c0d0` as an exclamation mark. */
function deviceName(entry: string): string {
  return entry.replaceAll("!", "/");
}

async function readUdev(root: string, majorMinor: string): Promise<UdevRecord | null> {
  return await readFile(join(root, "data", `b${majorMinor}`), "utf8").then(parseUdevRecord, () => null);
}

/** Of /dev/disk/by-id, by the device's name. */
async function linksById(dev: string): Promise<Map<string, string[]>> {
  const folder = join(dev, "disk/by-id");
  const links = new Map<string, string[]>();
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.toSorted()) {
    const link = join(folder, name);
    const target = await readlink(link).catch(() => null);
    if (target === null) continue;
    const device = relative(dev, resolve(folder, target));
    links.set(device, [...(links.get(device) ?? []), link]);
  }
  return links;
}
