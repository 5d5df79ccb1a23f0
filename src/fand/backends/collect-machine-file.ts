import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { entriesOf, lineOf, numbered } from "../sensors/find-sensor-file.ts";
import {
  cellsOf,
  type DeviceTree,
  nameOf,
  nodeOf,
  openDeviceTree,
  pinsOf,
  stringsOf,
} from "./device-tree-file.ts";
import {
  type Board,
  boardOf,
  type GpioChip,
  gpioLabels,
  type HwmonChip,
  type Machine,
  type PwmChip,
} from "./machine.ts";

/** Where the kernel shows itself; other folders in tests. */
export interface Roots {
  readonly sys: string;
  readonly dev: string;
  readonly deviceTree: string;
  /** Folders of shared libraries. */
  readonly libraries: readonly string[];
}

export const systemRoots: Roots = {
  sys: "/sys",
  dev: "/dev",
  deviceTree: "/proc/device-tree",
  libraries: [
    "/usr/lib",
    "/usr/local/lib",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib/x86_64-linux-gnu",
  ],
};

/** Looks at everything that a fan may be connected to. Touches nothing; what cannot be read is not there. */
export function collectMachine(roots: Roots, isRoot: boolean): Machine {
  const tree = openDeviceTree(roots.deviceTree);
  const board = boardOf(stringsOf(join(roots.deviceTree, "compatible")));
  return {
    model: stringsOf(join(roots.deviceTree, "model"))[0] ?? null,
    board,
    hwmon: numbered(join(roots.sys, "class/hwmon"), "hwmon").map((folder) => hwmonChip(folder, board, tree)),
    pwm: numbered(join(roots.sys, "class/pwm"), "pwmchip").map((folder) => pwmChip(folder, tree)),
    gpio: gpioChips(roots),
    keepsOutputs: keepsOutputs(roots.sys),
    libpigpio:
      roots.libraries.map((folder) => join(folder, "libpigpio.so.1")).find((path) => existsSync(path)) ??
      null,
    isRoot,
  };
}

function hwmonChip(folder: string, board: Board | null, tree: DeviceTree): HwmonChip {
  const node = nodeOf(join(folder, "device"));
  return {
    name: lineOf(join(folder, "name")) ?? "",
    drives: node === null ? null : fanPin(node, board, tree),
    outputs: entriesOf(folder)
      .map((entry) => /^pwm(\d+)$/.exec(entry)?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((one, other) => one - other)
      .map((number) => {
        const [pwm, enable, fan] = [`pwm${number}`, `pwm${number}_enable`, `fan${number}_input`].map((name) =>
          join(folder, name),
        );
        return {
          number,
          pwm: pwm ?? "",
          enable: present(enable),
          tachometer: present(fan),
          isWritable: mayAccess(pwm ?? "", constants.W_OK),
        };
      }),
  };
}

/** From the node of a pwm-fan (`pwms`) or a gpio-fan (`gpios`). */
function fanPin(node: string, board: Board | null, tree: DeviceTree): HwmonChip["drives"] {
  const direct = headerPin(node, tree);
  if (direct !== null) return direct;
  const [phandle = 0, channel] = cellsOf(join(node, "pwms"));
  const controller = tree.node(phandle);
  if (controller === undefined) return null;
  // a PWM in software, on a pin of its own
  const software = headerPin(controller, tree);
  if (software !== null) return software;
  const address = /@([0-9a-f]+)$/.exec(controller)?.[1];
  if (board?.connector !== null && board?.connector !== undefined && address === "9c000") return "connector";
  return pinsOf(controller, tree)?.find((pin) => board?.channels.get(pin) === channel) ?? null;
}

function headerPin(node: string, tree: DeviceTree): number | null {
  const [phandle = 0, pin] = cellsOf(join(node, "gpios"));
  const controller = tree.node(phandle);
  const isHeader =
    controller !== undefined &&
    stringsOf(join(controller, "compatible")).some((name) => Object.hasOwn(gpioLabels, name));
  return isHeader ? (pin ?? null) : null;
}

function pwmChip(folder: string, tree: DeviceTree): PwmChip {
  const device = join(folder, "device");
  const node = nodeOf(device);
  return {
    path: folder,
    address: basename(resolved(device)),
    channelCount: Number(lineOf(join(folder, "npwm")) ?? 0),
    pins: node === null ? null : pinsOf(node, tree),
    inversedChannels: numbered(folder, "pwm")
      .filter((channel) => lineOf(join(channel, "polarity")) === "inversed")
      .map((channel) => Number(basename(channel).slice("pwm".length))),
    isWritable: mayAccess(join(folder, "export"), constants.W_OK),
  };
}

/** The header's pins, by what the device tree calls their chip: a number is any chip's. */
function gpioChips({ sys, dev }: Roots): readonly GpioChip[] {
  return numbered(join(sys, "bus/gpio/devices"), "gpiochip").flatMap((folder) => {
    // of the chip itself, or of the device that it is a part of
    const node = nodeOf(folder) ?? nodeOf(dirname(resolved(folder)));
    const compatible = node === null ? [] : stringsOf(join(node, "compatible"));
    const label = compatible.map((name) => gpioLabels[name]).find((name) => name !== undefined);
    const device = join(dev, basename(folder));
    return label === undefined || node === null || nameOf(node) !== "gpio"
      ? []
      : [{ device, label, isWritable: mayAccess(device, constants.W_OK) }];
  });
}

function keepsOutputs(sys: string): boolean | null {
  const values = ["pinctrl_bcm2835", "pinctrl_rp1"].map((module) =>
    lineOf(join(sys, "module", module, "parameters/persist_gpio_outputs")),
  );
  const value = values.find((one) => one !== null);
  return value === undefined || value === null ? null : value === "Y" || value === "1";
}

function present(path: string | undefined): string | null {
  return path !== undefined && existsSync(path) ? path : null;
}

/** @param mode `W_OK` or `X_OK` of access(2) */
export function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Without links; as it is where it leads nowhere. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
