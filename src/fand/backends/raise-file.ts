import { closeSync, constants, openSync, writeSync } from "node:fs";
import { fullSpeedOf } from "./note.ts";
import type { Output } from "./output.ts";

/** Does what the note of an output says, as far as it can be done. Never throws. */
export function raise(output: Output): void {
  for (const line of fullSpeedOf(output)) {
    const [verb, value = "", path = ""] = line.split(" ");
    if (verb !== "gpio") writeQuietly(path, value);
  }
}

function writeQuietly(path: string, value: string): void {
  try {
    const file = openSync(path, constants.O_WRONLY);
    try {
      writeSync(file, `${value}\n`, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // the lines after it may do
  }
}
