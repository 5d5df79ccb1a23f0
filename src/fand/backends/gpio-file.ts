import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { lineOf, numbered } from "../sensors/find-sensor-file.ts";
import { fullSpeed } from "../units.ts";
import { writeAttribute } from "./attribute-file.ts";
import { dutyRegister } from "./duty-register.ts";
import type { FanBackend } from "./fan-backend.ts";
import {
  decodeLineFile,
  decodeValue,
  encodeLineRequest,
  encodeValue,
  getLineRequest,
  getValuesRequest,
  setValuesRequest,
} from "./gpio-lines.ts";
import type { GpioOutput } from "./output.ts";

/** ioctl(2), which changes the bytes. @throws Error with the name of the error */
export type Ioctl = (file: number, request: number, bytes: Uint8Array) => void;

/**
 * A line of a GPIO chip, on or off. Whether it stays high when the process ends is up to the kernel.
 * @param sysfs where the script that raises fans of a dead daemon holds them: it is taken over from there
 */
export function gpioBackend(output: GpioOutput, ioctl: Ioctl, sysfs = "/sys/class/gpio"): FanBackend {
  const name = `line ${output.line} of ${output.device}`;
  let file: number | null = null;
  const ask = (request: number, bytes: Uint8Array): Uint8Array => {
    if (file === null) throw new BerryError("software", `${name}: is not open`);
    try {
      ioctl(file, request, bytes);
    } catch (cause) {
      throw new BerryError("io", `${name}: failed`, { cause });
    }
    return bytes;
  };
  const set = dutyRegister({
    range: 1,
    // the kernel turns the level round
    isInverted: false,
    name,
    write: (value) => void ask(setValuesRequest, encodeValue(value === 1)),
    read: () => (decodeValue(ask(getValuesRequest, encodeValue(false))) ? 1 : 0),
  });
  return {
    open() {
      file = requestLine(output, name, ioctl, sysfs);
      set(fullSpeed);
    },
    setDuty: set,
    dispose() {
      if (file === null) return;
      try {
        set(fullSpeed);
      } catch {
        // the shell that comes after raises it by another way
      }
      closeSync(file);
      file = null;
    },
  };
}

function requestLine(output: GpioOutput, name: string, ioctl: Ioctl, sysfs: string): number {
  const bytes = encodeLineRequest({
    line: output.line,
    consumer: "berry fand",
    isActiveLow: output.isInverted,
    isActive: true,
  });
  let chip: number | null = null;
  try {
    chip = openSync(output.device, "r+");
    try {
      ioctl(chip, getLineRequest, bytes);
    } catch (thrown) {
      if (!(isBusy(thrown) && releaseFromSysfs(output, sysfs))) throw thrown;
      ioctl(chip, getLineRequest, bytes);
    }
    return decodeLineFile(bytes);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : "";
    if (isBusy(cause))
      throw new BerryError("unavailable", `${name}: is taken`, {
        cause,
        hint: "berry fand doctor says by whom; a fan driver of the kernel is backend hwmon",
      });
    const kind = /EACCES|EPERM/.test(text) ? "no-permission" : "unavailable";
    throw new BerryError(kind, `${name}: cannot be had`, { cause, hint: "run it as root" });
  } finally {
    if (chip !== null) closeSync(chip);
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.includes("EBUSY");
}

/** @returns whether it was held there, and is not any more */
function releaseFromSysfs({ label, line }: GpioOutput, sysfs: string): boolean {
  for (const chip of numbered(sysfs, "gpiochip")) {
    if (lineOf(join(chip, "label")) !== label) continue;
    const number = Number(lineOf(join(chip, "base"))) + line;
    if (!existsSync(join(sysfs, `gpio${number}`))) continue;
    try {
      writeAttribute(join(sysfs, "unexport"), number);
      return true;
    } catch {
      // it is not ours to take
      return false;
    }
  }
  return false;
}
