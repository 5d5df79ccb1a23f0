import { realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { BlockDevices } from "./block-device.ts";
import { majorMinorOf } from "./collect-keep-paths.ts";

/**
 * The devices that paths in /dev stand for: nodes, links of udev, names of the device mapper.
 *
 * @returns names by path; a path that leads to no known device is missing
 */
export async function resolveDevicePaths(
  paths: readonly string[],
  devices: BlockDevices,
  dev: string,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const root = await realpath(dev).catch(() => dev);
  for (const path of new Set(paths)) {
    if (!path.startsWith("/dev/")) continue;
    const below = path.slice("/dev/".length);
    const name =
      nameOf(below, devices) ??
      (await realpath(join(dev, below)).then(
        (real) => nameOf(relative(root, real), devices),
        () => null,
      )) ??
      (await nameOfNode(join(dev, below), devices));
    if (name !== null) names.set(path, name);
  }
  return names;
}

function nameOf(below: string, devices: BlockDevices): string | null {
  if (devices.has(below)) return below;
  for (const { name, deviceMapper, udev } of devices.values()) {
    if (deviceMapper !== null && below === `mapper/${deviceMapper.name}`) return name;
    if (udev?.links.includes(below) === true) return name;
  }
  return null;
}

/** A node of whatever name, such as /dev/root. */
async function nameOfNode(path: string, devices: BlockDevices): Promise<string | null> {
  const majorMinor = await stat(path).then(
    (stats) => (stats.isBlockDevice() ? majorMinorOf(stats.rdev) : null),
    () => null,
  );
  if (majorMinor === null) return null;
  return [...devices.values()].find((device) => device.majorMinor === majorMinor)?.name ?? null;
}
