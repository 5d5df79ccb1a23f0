import { resolve } from "node:path";
import type { DeviceGraph } from "./device-graph.ts";
import type { KeepPath } from "./disk.ts";
import { mountOf, type Mount } from "./mount.ts";

/** What is mounted, and upon which devices. */
export interface MountedSystem {
  readonly mounts: readonly Mount[];
  /** Names of the devices that a mount's file system stands upon; empty: unknown, or none. */
  devicesOf(mount: Mount): readonly string[];
}

export interface Kept {
  /** Names of the devices on which the path lies directly. */
  readonly devices: ReadonlySet<string>;
  /** Whether that is all of them. */
  readonly isWhole: boolean;
}

/** File systems without a disk of this machine's. */
const diskless = /^(tmpfs|ramfs|rootfs|devtmpfs|nfs4?|cifs|smb3|9p|virtiofs|ceph|afs|vboxsf|fuse\.sshfs)$/;

/** Which devices a path that must be kept lies on, through loop devices, overlays and stacked file systems. */
export function devicesUnder(path: KeepPath, graph: DeviceGraph, system: MountedSystem): Kept {
  const found = new Set<string>();
  let isWhole = true;
  const seenPaths = new Set<string>();
  const seenDevices = new Set<string>();
  const entered = new Set<Mount>();

  const onDevice = (name: string): void => {
    found.add(name);
    for (const { name: below, backingFile } of graph.below(name)) {
      if (seenDevices.has(below)) continue;
      seenDevices.add(below);
      if (backingFile !== null) onPath(backingFile.replace(/ \(deleted\)$/, ""));
    }
  };
  const onPath = (at: string): void => {
    if (seenPaths.has(at)) return;
    seenPaths.add(at);
    const mount = mountOf(at, system.mounts);
    if (mount === null) isWhole = false;
    else onMount(mount);
  };
  const onMount = (mount: Mount): void => {
    const devices = system.devicesOf(mount);
    devices.forEach(onDevice);
    if (devices.length > 0 || diskless.test(mount.type)) return;
    const paths = foldersBelow(mount);
    // layers that seem to lie in the overlay itself were mounted where this process cannot see it
    if (paths.length === 0 || entered.has(mount)) isWhole = false;
    if (entered.has(mount)) return;
    entered.add(mount);
    for (const folder of paths) {
      if (folder.startsWith("/")) onPath(resolve(folder));
      else isWhole = false;
    }
    entered.delete(mount);
  };

  const direct = [...graph.devices.values()].filter(
    ({ majorMinor }) => majorMinor !== "" && majorMinor === path.majorMinor,
  );
  for (const { name } of direct) onDevice(name);
  // a file that is a loop device's whole content is lost when that is written to
  for (const { name, backingFile, backingInode } of graph.devices.values())
    if (backingFile === path.real || (typeof backingInode === "string" && backingInode === path.inode))
      found.add(name);
  // where stat(2) and the table of mounts disagree (chroot, a mount over another), both are kept
  if (path.majorMinor !== null && direct.length === 0 && !isDeviceOfAMount(path.majorMinor, system.mounts))
    isWhole = false;
  onPath(path.real);
  return { devices: found, isWhole };
}

function isDeviceOfAMount(majorMinor: string, mounts: readonly Mount[]): boolean {
  return majorMinor.startsWith("0:") || mounts.some((mount) => mount.majorMinor === majorMinor);
}

/** Of an overlay its layers; of a file system stacked upon a folder (ecryptfs, bindfs) that folder. */
function foldersBelow(mount: Mount): string[] {
  if (mount.type === "overlay")
    return mount.options.flatMap((option) => {
      const [, folders] = /^(?:lowerdir|upperdir|workdir|lowerdir\+|datadir\+)=(.*)$/.exec(option) ?? [];
      return folders === undefined
        ? []
        : folders.split(/(?<!\\):+/).map((folder) => folder.replaceAll("\\:", ":"));
    });
  return mount.source.startsWith("/") && !mount.source.startsWith("/dev/") ? [mount.source] : [];
}
