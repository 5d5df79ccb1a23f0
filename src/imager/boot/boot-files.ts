import type { Emulation, MachineKind } from "./boot-request.ts";
import { BerryError } from "../../core/errors.ts";
import { automaticInitramfs, type FirmwareConfig } from "./firmware-config.ts";

/** Paths on the boot partition. */
export interface BootFiles {
  readonly kernel: string;
  readonly initramfs: string | null;
  /** null: QEMU makes its own. */
  readonly deviceTree: string | null;
}

/** Upstream's name, then that of the Raspberry Pi Foundation's kernel. */
const deviceTreesOfPi3 = ["bcm2837-rpi-3-b.dtb", "bcm2710-rpi-3-b.dtb"];
const defaultKernel = "kernel8.img";

/**
 * Decides what stands in for the firmware: the target's word first, then config.txt, then the firmware's defaults.
 * @param names every path on the boot partition; FAT does not tell upper case from lower case
 * @throws BerryError `bad-data` when a file is missing
 */
export function chooseBootFiles(
  names: readonly string[],
  emulation: Emulation,
  config: FirmwareConfig,
  machine: MachineKind,
): BootFiles {
  const kernel = find(names, emulation.kernel ?? config.kernel ?? defaultKernel, "kernel");
  const initramfs = emulation.initramfs ?? config.initramfs;
  return {
    kernel,
    initramfs:
      initramfs === null ? findAutomatic(names, kernel, config) : find(names, initramfs, "initramfs"),
    deviceTree: machine === "virt" ? null : findDeviceTree(names, emulation.deviceTree ?? config.deviceTree),
  };
}

function findAutomatic(names: readonly string[], kernel: string, config: FirmwareConfig): string | null {
  const wanted = config.autoInitramfs ? automaticInitramfs(kernel) : null;
  return wanted === null ? null : (match(names, wanted) ?? null);
}

function findDeviceTree(names: readonly string[], wanted: string | null): string {
  if (wanted !== null) return find(names, wanted, "device tree");
  for (const candidate of deviceTreesOfPi3) {
    const found = match(names, candidate);
    if (found !== undefined) return found;
  }
  return find(names, deviceTreesOfPi3.join(" or "), "device tree");
}

function find(names: readonly string[], wanted: string, what: string): string {
  const found = match(names, wanted);
  if (found !== undefined) return found;
  const shown = names.filter((name) => !name.includes("/")).join(" ") || "nothing";
  throw new BerryError("bad-data", `the boot partition has no ${what} ${wanted}; it holds: ${shown}`, {
    hint: "look at config.txt on the boot partition and at [emulation] in the target file",
  });
}

function match(names: readonly string[], wanted: string): string | undefined {
  const escaped = wanted.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  const pattern = new RegExp(`^${escaped}$`, "i");
  const byVersion = new Intl.Collator("en", { numeric: true });
  return names
    .filter((name) => pattern.test(name))
    .toSorted((left, right) => byVersion.compare(right, left))[0];
}
