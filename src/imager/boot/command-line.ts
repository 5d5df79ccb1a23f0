import { BerryError } from "../../core/errors.ts";
import type { MachineKind } from "./boot-request.ts";

/** Words that would hide the console's lines, or send them elsewhere. */
const dropped = [/^console=/, /^quiet$/, /^splash$/, /^plymouth\./, /^logo\.nologo$/, /^loglevel=/];

/**
 * The kernel's command line for the emulated machine: cmdline.txt's first line, as the firmware reads it,
 * with the console moved to the emulated serial port and the SD card's device named as the machine names it.
 * @throws BerryError `bad-data` when it names no root file system
 */
export function emulatedCommandLine(cmdlineTxt: string, machine: MachineKind, console: string): string {
  const firstLine = cmdlineTxt.split(/\r?\n/, 1)[0] ?? "";
  const words = firstLine
    .split(/\s+/)
    .filter((word) => word !== "" && !dropped.some((pattern) => pattern.test(word)));
  if (!words.some((word) => word.startsWith("root="))) {
    throw new BerryError(
      "bad-data",
      `cmdline.txt on the boot partition names no root file system: ${firstLine || "it is empty"}`,
      {
        hint: "its first line must hold root=, such as root=PARTUUID=…-02",
      },
    );
  }
  const named =
    machine === "virt" ? words.map((word) => word.replace(/^root=\/dev\/mmcblk\dp/, "root=/dev/vda")) : words;
  const rootwait = named.includes("rootwait") ? [] : ["rootwait"];
  return [...named, ...rootwait, `console=${console}`].join(" ");
}

/** The serial console of the machine, where the target names none. */
export function defaultConsole(machine: MachineKind, deviceTree: string | null): string {
  if (machine === "virt") return "ttyAMA0";
  // The Foundation's device tree numbers the UARTs in another way than upstream's: the PL011 is the second.
  return deviceTree?.includes("bcm2710") === true ? "ttyAMA1,115200" : "ttyS1,115200";
}
