import type { BlockDevice, BlockDevices } from "./block-device.ts";
import { describeHolder, deviceGraph, holderOf, sharesFile } from "./device-graph.ts";
import type { DiskUse, KeepPaths } from "./disk.ts";
import { devicesUnder } from "./keep.ts";
import { isMemberOf } from "./membership.ts";
import { mountOf, type Mount, type Swap } from "./mount.ts";

/** All that was read of the system; `usesOfDisks` concludes from it. */
export interface Snapshot {
  readonly devices: BlockDevices;
  readonly mounts: readonly Mount[];
  readonly swaps: readonly Swap[];
  /** Of each btrfs that is mounted, in whatever namespace, the names of its devices. */
  readonly btrfs: readonly (readonly string[])[];
  /** Names of devices by the paths in /dev that mounts and swaps name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly keep: KeepPaths;
}

export interface Findings {
  /** By the whole disk's name. */
  readonly uses: ReadonlyMap<string, readonly DiskUse[]>;
  /** Kept paths and swaps of which it is not known on which disk they lie. */
  readonly unlocated: readonly string[];
}

/** Why the system needs each disk. What stands upon a disk counts as the disk: LVM on LUKS on RAID on its partitions. */
export function usesOfDisks(snapshot: Snapshot): Findings {
  const graph = deviceGraph(snapshot.devices);
  const devicesOf = (mount: Mount): string[] => devicesOfMount(mount, snapshot);
  const uses = new Map<string, Map<string, DiskUse>>();
  const addTo = (whole: string, use: DiskUse): void => {
    const known = uses.get(whole) ?? new Map<string, DiskUse>();
    uses.set(whole, known.set(JSON.stringify(use), use));
  };
  const add = (device: string, use: DiskUse): void => {
    for (const { whole } of graph.below(device)) addTo(whole, use);
  };
  const unlocated: string[] = [];

  for (const { path, ...kept } of snapshot.keep) {
    const { devices, isWhole } = devicesUnder({ path, ...kept }, graph, {
      mounts: snapshot.mounts,
      devicesOf,
    });
    if (!isWhole) unlocated.push(path);
    for (const name of devices) {
      const below = graph.below(name);
      // a partition says more than the disk it is on
      for (const leaf of below.filter(({ whole, name: own }) => own !== whole || !hasPartition(own, below)))
        addTo(leaf.whole, { use: "holds", device: leaf.name, path });
    }
  }
  for (const mount of snapshot.mounts)
    for (const device of devicesOf(mount)) add(device, { use: "mounted", device, at: mount.at });
  for (const swap of snapshot.swaps) {
    const found = usesOfSwap(swap, snapshot);
    if (found.length === 0) unlocated.push(`the swap ${swap.path}`);
    for (const use of found) add(use.device, use);
  }
  // what stands highest has to go first
  const height = ({ name }: BlockDevice): number => graph.below(name).length;
  for (const device of [...snapshot.devices.values()].toSorted((one, other) => height(other) - height(one)))
    for (const holder of graph.holdersOf(device.name)) {
      const use: DiskUse = {
        use: "held",
        device: device.name,
        by: holder.name,
        as: describeHolder(holder),
        holder: holderOf(holder),
      };
      // that the other one is held by this one is no news to this one
      if (sharesFile(device, holder)) addTo(device.whole, use);
      else add(device.name, use);
    }
  for (const device of snapshot.devices.values())
    for (const of of isMemberOf(device)) add(device.name, { use: "member", device: device.name, of });
  for (const device of snapshot.btrfs.flat()) add(device, { use: "member", device, of: "btrfs" });
  return { uses: new Map([...uses].map(([name, known]) => [name, [...known.values()]])), unlocated };
}

function hasPartition(disk: string, among: readonly BlockDevice[]): boolean {
  return among.some(({ name, whole }) => whole === disk && name !== disk);
}

/** By number, by source, by options such as `logdev=/dev/sdc1`; and all devices of what spans several. */
function devicesOfMount(mount: Mount, { devices, btrfs, paths }: Snapshot): string[] {
  const all = [...devices.values()];
  const named = [...mount.source.split(":"), ...mount.options.map((option) => option.replace(/^[^=]*=/, ""))];
  const found = new Set([
    ...all.filter(({ majorMinor }) => majorMinor === mount.majorMinor).map(({ name }) => name),
    ...named.flatMap((path) => paths.get(path) ?? []),
  ]);
  if (mount.type === "btrfs") {
    const own = btrfs.filter((members) => members.some((name) => found.has(name)));
    // where its source leads nowhere, it may be any
    for (const name of (own.length === 0 && found.size === 0 ? btrfs : own).flat()) found.add(name);
  }
  if (mount.type === "zfs") {
    const [pool] = mount.source.split("/");
    const members = all.filter(({ udev }) => udev?.properties["ID_FS_TYPE"] === "zfs_member");
    const own = members.filter(({ udev }) => udev?.properties["ID_FS_LABEL"] === pool);
    for (const { name } of own.length === 0 ? members : own) found.add(name);
  }
  return [...found];
}

function usesOfSwap({ path, isFile }: Swap, snapshot: Snapshot): Extract<DiskUse, { use: "swap" }>[] {
  if (!isFile) return [snapshot.paths.get(path) ?? []].flat().map((device) => ({ use: "swap", device }));
  const mount = mountOf(path, snapshot.mounts);
  if (mount === null) return [];
  return devicesOfMount(mount, snapshot).map((device) => ({ use: "swap", device, file: path }));
}
