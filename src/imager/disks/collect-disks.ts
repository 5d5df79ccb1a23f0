import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { BerryError, codeOf } from "../../core/errors.ts";
import type { BlockDevice, BlockDevices, Hardware } from "./block-device.ts";
import { byName, collectBlockDevices } from "./collect-block-devices.ts";
import { resolveDevicePaths } from "./collect-device-paths.ts";
import { busOf, contentOf, kindOf, modelOf } from "./describe-disk.ts";
import type { Disk, KeepPaths, SystemRoots } from "./disk.ts";
import { parseMounts, parseSwaps } from "./mount.ts";
import { usesOfDisks, type Findings } from "./uses.ts";

/**
 * Every disk that the kernel knows, with all that is known against writing to it; nothing is opened, and no rights are
 * needed. Loop devices without a file and RAM disks are left out; what is made of disks (LVM, md) is among them.
 *
 * @throws BerryError `os` when the kernel does not tell what disks there are, or what is mounted
 */
export async function collectDisks(
  roots: SystemRoots,
  keep: KeepPaths,
  signal?: AbortSignal,
): Promise<Disk[]> {
  const devices = await collectBlockDevices(roots, signal);
  const mounts = parseMounts(await readFacts(join(roots.proc, "self/mountinfo"), "what is mounted"));
  // a kernel without swap has no such file
  const swaps = parseSwaps(await readFacts(join(roots.proc, "swaps"), "what is swap", ""));
  signal?.throwIfAborted();
  const named = [
    ...mounts.flatMap(({ source, options }) => [
      ...source.split(":"),
      ...options.map((option) => option.replace(/^[^=]*=/, "")),
    ]),
    ...swaps.map(({ path }) => path),
  ];
  const findings = usesOfDisks({
    devices,
    mounts,
    swaps,
    btrfs: await mountedBtrfs(roots.sys),
    paths: await resolveDevicePaths(named, devices, roots.dev),
    keep,
  });
  signal?.throwIfAborted();
  return [...devices.values()]
    .flatMap((device) =>
      device.hardware === null || isEmpty(device)
        ? []
        : [diskOf(device, device.hardware, devices, findings, roots)],
    )
    .toSorted(byName);
}

async function readFacts(path: string, what: string, ifMissing: string | null = null): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    if (text !== "" || ifMissing !== null) return text;
  } catch (cause) {
    if (codeOf(cause) === "ENOENT" && ifMissing !== null) return ifMissing;
    throw new BerryError("os", `cannot read ${path}, which says ${what}`, { cause });
  }
  throw new BerryError("os", `${path} is empty, and should say ${what}`);
}

/** The folders of /sys/fs/btrfs but `features` are the UUIDs of what is mounted, in whatever namespace. */
async function mountedBtrfs(sys: string): Promise<string[][]> {
  const folder = join(sys, "fs/btrfs");
  const members = (await readdir(folder).catch(() => [])).map(
    async (uuid) => await readdir(join(folder, uuid, "devices")).catch(() => []),
  );
  return (await Promise.all(members)).filter((names) => names.length > 0);
}

function isEmpty({ name, backingFile }: BlockDevice): boolean {
  return /^ram\d+$/.test(name) || (/^loop\d+$/.test(name) && backingFile === null);
}

function diskOf(
  device: BlockDevice,
  hardware: Hardware,
  devices: BlockDevices,
  findings: Findings,
  roots: SystemRoots,
): Disk {
  const partitions = [...devices.values()].filter(
    ({ whole, name }) => whole === device.name && name !== device.name,
  );
  return {
    name: device.name,
    path: join(roots.dev, device.name),
    byId: hardware.byId,
    identity: {
      majorMinor: device.majorMinor,
      sizeBytes: device.sizeBytes ?? 0,
      serial: hardware.serial ?? "",
      sequence: wholeNumber(hardware.diskSequence),
    },
    logicalSectorBytes: wholeNumber(hardware.logicalBlockSize) ?? 0,
    model: modelOf(device, hardware),
    bus: busOf(device, hardware),
    kind: kindOf(device, hardware),
    isRemovable: hardware.removable === "1",
    isReadOnly: hardware.ro !== "0",
    partitions: partitions.map(({ name, majorMinor, sizeBytes }) => ({
      name,
      majorMinor,
      sizeBytes: sizeBytes ?? 0,
    })),
    contents: [device, ...partitions].flatMap((part) => contentOf(part) ?? []),
    uses: findings.uses.get(device.name) ?? [],
    doubts: doubtsOf([device, ...partitions], findings),
  };
}

function doubtsOf(parts: readonly BlockDevice[], { unlocated }: Findings): string[] {
  const unknown = (what: (part: BlockDevice) => boolean): string =>
    parts
      .filter(what)
      .map(({ name }) => name)
      .join(", ");
  const unprobed = unknown(({ udev }) => udev === null);
  const unheld = unknown(({ holders }) => holders === null);
  return [
    ...(unprobed === "" ? [] : [`udev does not tell what is on ${unprobed}`]),
    ...(unheld === "" ? [] : [`the kernel does not tell what stands upon ${unheld}`]),
    ...(unlocated.length === 0 ? [] : [`it is not known which disk holds ${unlocated.join(", ")}`]),
  ];
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
