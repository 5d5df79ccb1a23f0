import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

/** The device tree as the kernel shows it: folders are nodes, files are properties (Devicetree Specification 0.4, 2.2). */
export interface DeviceTree {
  readonly root: string;
  /** Path of the node with a phandle; undefined: there is none. */
  node(phandle: number): string | undefined;
}

/** @param root `/proc/device-tree` */
export function openDeviceTree(root: string): DeviceTree {
  const nodes = new Map<number, string>();
  const visit = (folder: string, depth: number): void => {
    for (const entry of foldersAndPhandle(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth > 0) visit(path, depth - 1);
      } else {
        const [phandle] = cellsOf(path);
        if (phandle !== undefined) nodes.set(phandle, folder);
      }
    }
  };
  let isVisited = false;
  return {
    root,
    node(phandle) {
      if (!isVisited) visit(root, 7);
      isVisited = true;
      return nodes.get(phandle);
    },
  };
}

/** Whole numbers of 32 bits, most significant byte first. Empty where the property is not there. */
export function cellsOf(path: string): readonly number[] {
  const bytes = bytesOf(path);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readUInt32BE(index * 4));
}

export function stringsOf(path: string): readonly string[] {
  return bytesOf(path)
    .toString("latin1")
    .split("\0")
    .filter((text) => text !== "");
}

/** The pins to which a node's pin control routes it; null: the device tree does not say. */
export function pinsOf(node: string, tree: DeviceTree): readonly number[] | null {
  const states = cellsOf(join(node, "pinctrl-0"))
    .map((phandle) => tree.node(phandle))
    .filter((state) => state !== undefined);
  const pins = states.flatMap((state) => [
    ...cellsOf(join(state, "brcm,pins")),
    ...stringsOf(join(state, "pins"))
      .map((pin) => /^gpio(\d+)$/.exec(pin)?.[1])
      .filter((pin) => pin !== undefined)
      .map(Number),
  ]);
  return pins.length === 0 ? null : pins;
}

/** Where a link of sysfs leads to in the device tree; null: the device is not of it. */
export function nodeOf(device: string): string | null {
  try {
    return realpathSync(join(device, "of_node"));
  } catch {
    return null;
  }
}

/** Name without address. */
export function nameOf(node: string): string {
  return basename(node).split("@", 1)[0] ?? "";
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function foldersAndPhandle(folder: string) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() || entry.name === "phandle");
  } catch {
    return [];
  }
}
