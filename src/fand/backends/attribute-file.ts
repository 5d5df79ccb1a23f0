import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { BerryError, codeOf } from "../../core/errors.ts";

/** An attribute of sysfs that stays open: a whole number in decimal. */
export interface Attribute {
  write(value: number): void;
  /** NaN where it holds no number. */
  read(): number;
  dispose(): void;
}

/** @throws BerryError `no-permission`, `unavailable` or `io`, here and in its methods */
export function openAttribute(path: string): Attribute {
  const buffer = Buffer.alloc(32);
  const file = tried(path, () => openSync(path, "r+"));
  let isOpen = true;
  return {
    write(value) {
      tried(path, () => writeSync(file, `${value}\n`, 0));
    },
    read() {
      const length = tried(path, () => readSync(file, buffer, 0, 32, 0));
      const number = /^(\d+)(?:\n|$)/.exec(buffer.toString("latin1", 0, length))?.[1];
      return number === undefined ? Number.NaN : Number(number);
    },
    dispose() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/** Writes once. An attribute that can only be written, such as `export`, refuses to be opened for both. */
export function writeAttribute(path: string, value: string | number): void {
  tried(path, () => {
    const file = openSync(path, constants.O_WRONLY);
    try {
      writeSync(file, `${value}\n`, 0);
    } finally {
      closeSync(file);
    }
  });
}

function tried<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "EACCES" || code === "EPERM")
      throw new BerryError("no-permission", `${path}: may not be written to`, {
        cause,
        hint: "run it as root",
      });
    if (code === "EBUSY")
      throw new BerryError("unavailable", `${path}: is taken`, {
        cause,
        hint: "another driver or program owns it: berry fand check says which backends there are",
      });
    throw new BerryError(code === "ENOENT" || code === "ENODEV" ? "unavailable" : "io", `${path}: failed`, {
      cause,
    });
  }
}
