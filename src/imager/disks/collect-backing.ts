import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { BlockDevice, BlockDevices } from "./block-device.ts";
import { resolveDevicePaths } from "./collect-device-paths.ts";
import { inodeOf, majorMinorOf } from "./collect-keep-paths.ts";

/**
 * The same devices, each loop device with what it stands upon: a block device is among its `slaves`, of a regular file
 * it has the inode. The kernel tells of neither in its own words, only of a path.
 *
 * A path that cannot be looked at (deleted, of another mount namespace) adds nothing but a device of that name.
 */
export async function resolveBacking(devices: BlockDevices, dev: string): Promise<BlockDevices> {
  const loops = [...devices.values()].flatMap(({ backingFile, ...device }) =>
    backingFile === null ? [] : [{ device: { ...device, backingFile }, path: backingFile }],
  );
  const names = await resolveDevicePaths(
    loops.map(({ path }) => nodeOf(path)),
    devices,
    dev,
  );
  const resolved = await Promise.all(
    loops.map(async ({ device, path }): Promise<BlockDevice> => {
      const found = await lookAt(path, dev);
      const slaves = [
        names.get(nodeOf(path)) ?? [],
        [...devices.values()].filter(({ majorMinor }) => majorMinor === found.majorMinor).map(nameOf),
      ].flat();
      return {
        ...device,
        slaves: [...new Set([...device.slaves, ...slaves])].filter((name) => name !== device.name),
        backingInode: found.inode,
      };
    }),
  );
  return new Map([...devices, ...resolved.map((device) => [device.name, device] as const)]);
}

/** The device may be there though its node is gone. */
function nodeOf(path: string): string {
  return path.replace(/ \(deleted\)$/, "");
}

function nameOf({ name }: BlockDevice): string {
  return name;
}

interface Backing {
  /** Of a block device. */
  readonly majorMinor: string | null;
  /** Of a regular file. */
  readonly inode: string | null;
}

async function lookAt(path: string, dev: string): Promise<Backing> {
  const own = path.startsWith("/dev/") ? join(dev, path.slice("/dev/".length)) : path;
  try {
    const stats = await stat(own, { bigint: true });
    return {
      majorMinor: stats.isBlockDevice() ? majorMinorOf(Number(stats.rdev)) : null,
      inode: inodeOf(stats),
    };
  } catch {
    return { majorMinor: null, inode: null };
  }
}
