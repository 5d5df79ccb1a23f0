import { closeSync, openSync } from "node:fs";
import { BerryError } from "../../core/errors.ts";
import { fullSpeed } from "../units.ts";
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

/** A line of a GPIO chip, on or off. Whether it stays high when the process ends is up to the kernel. */
export function gpioBackend(output: GpioOutput, ioctl: Ioctl): FanBackend {
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
      file = requestLine(output, name, ioctl);
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

function requestLine(output: GpioOutput, name: string, ioctl: Ioctl): number {
  const bytes = encodeLineRequest({
    line: output.line,
    consumer: "berry fand",
    isActiveLow: output.isInverted,
    isActive: true,
  });
  let chip: number | null = null;
  try {
    chip = openSync(output.device, "r+");
    ioctl(chip, getLineRequest, bytes);
    return decodeLineFile(bytes);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : "";
    if (text.includes("EBUSY"))
      throw new BerryError("unavailable", `${name}: is taken`, {
        cause,
        hint: "gpioinfo says by whom; a fan driver of the kernel is backend hwmon",
      });
    const kind = /EACCES|EPERM/.test(text) ? "no-permission" : "unavailable";
    throw new BerryError(kind, `${name}: cannot be had`, { cause, hint: "run it as root" });
  } finally {
    if (chip !== null) closeSync(chip);
  }
}
