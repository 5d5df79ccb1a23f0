import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "./flock-ffi.ts";
import { refusalOfFile } from "./run-folder-file.ts";

/**
 * The turn of who sets fans by hand: whoever reads what is set, adds to it, and takes it back where the daemon does not
 * take it up, must not be overtaken. The kernel ends it with the process.
 * @param runFolder such as /run/berry, which is there
 * @returns null where it is another's
 * @throws BerryError what the file system says
 */
export function takeSetTurn(runFolder: string): Disposable | null {
  const path = join(runFolder, "set.lock");
  const file = openTurn(path);
  let isTaken = false;
  try {
    isTaken = tryLock(file, "exclusive", path);
  } finally {
    if (!isTaken) closeSync(file);
  }
  return isTaken ? { [Symbol.dispose]: () => closeSync(file) } : null;
}

function openTurn(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (thrown) {
    throw refusalOfFile(path, thrown);
  }
}
