import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import type { Emulator } from "../bake-plan.ts";
import type { StepContext } from "./context.ts";
import { mountOn } from "./mount-root.ts";

/**
 * A binfmt_misc handler line for arm64 ELF programs and scripts' interpreters
 * (Documentation/admin-guide/binfmt-misc.rst). O: the program is handed over open; C: set-user-id programs
 * keep their meaning; F: the interpreter is opened now, so that nothing has to be copied into the image.
 */
export function binfmtLine(interpreter: string): string {
  const magic = "7f454c460201010000000000000000000200b700";
  const mask = "ffffffffffffff00fffffffffffffffffeffffff";
  return `:berry-aarch64:M::${escaped(magic)}:${escaped(mask)}:${interpreter}:OCF`;
}

function escaped(hexadecimal: string): string {
  return hexadecimal.replace(/../g, (byte) => `\\x${byte}`);
}

/** Registers the emulator for this user namespace alone; the host's handlers stay as they are. */
export async function registerEmulator(emulator: Emulator, context: StepContext): Promise<void> {
  if (emulator.kind === "host") return;
  const folder = join(context.scratch, "binfmt_misc");
  await mkdir(folder);
  await mountOn(folder, ["-t", "binfmt_misc", "binfmt_misc"], context);
  try {
    await writeFile(join(folder, "register"), binfmtLine(emulator.interpreter));
  } catch (cause) {
    throw new BerryError("os", `the kernel does not take ${emulator.interpreter} as an emulator`, {
      hint: "the path may be too long (binfmt_misc takes 255 characters in all): install qemu-user-static from your distribution",
      cause,
    });
  }
}
