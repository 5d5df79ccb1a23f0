import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { BerryError } from "../../core/errors.ts";
import { readCpio } from "../formats/cpio.ts";
import type { CpioMember } from "../formats/cpio.ts";
import { elfMachine } from "../formats/elf.ts";
import type { CheckInitramfs } from "../package-step.ts";
import { realPathInRoot } from "./root-path.ts";

/**
 * Refuses an initramfs with a program of another architecture in it: it would not boot.
 * @throws BerryError `bad-data` that names the programs
 */
export async function checkInitramfs(step: CheckInitramfs): Promise<void> {
  const folder = await realPathInRoot(step.root, step.folder);
  const names = (await readdir(folder)).filter((name) => name.startsWith("initrd.img-"));
  if (names.length === 0)
    throw new BerryError("bad-data", `no initramfs was made: ${step.folder} has no initrd.img`);
  for (const name of names) {
    const foreign = membersOf(await readFile(join(folder, name))).filter(({ content }) => {
      const machine = elfMachine(content);
      return machine !== null && machine !== step.architecture;
    });
    if (foreign.length > 0) {
      throw new BerryError(
        "bad-data",
        `${name} has programs of another architecture: ${foreign.map((member) => member.name).join(", ")}`,
      );
    }
  }
}

function membersOf(initramfs: Uint8Array): readonly CpioMember[] {
  const { members, rest } = readCpio(initramfs);
  const main = decompressed(rest);
  return main === null ? members : [...members, ...membersOf(main)];
}

/** null: nothing follows, or in a compression that cannot be looked into. */
function decompressed(part: Uint8Array): Uint8Array | null {
  const [a, b, c, d] = part;
  if (a === 0x1f && b === 0x8b) return gunzipSync(part);
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return zstdDecompressSync(part);
  return null;
}
