import {
  closeSync,
  constants,
  fchmodSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { BerryError, codeOf } from "../../core/errors.ts";

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Replaces a file by another in one step, so that nobody ever reads half of it. Folders are made.
 * @throws BerryError `cannot-create`, `no-permission` or `io`: what was there is as it was then
 */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  const next = `${path}.next`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // neither a link nor a FIFO leads it astray
    const file = openSync(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, mode);
    try {
      fchmodSync(file, mode);
      writeWhole(file, text);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (thrown) {
    removeQuietly(next);
    throw refusalOfFile(path, thrown);
  }
}

/** A file system that is full takes the beginning, and says so only when it is asked to take the rest. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // what cannot be removed says nothing more than why it could not be written
  }
}

/** What the file system says of a file of the run folder, and what to do. */
export function refusalOfFile(path: string, cause: unknown): BerryError {
  switch (codeOf(cause) ?? "") {
    case "ENOSPC":
    case "EDQUOT":
      return new BerryError("cannot-create", `${path}: cannot be written: no space left`, {
        hint: `df ${dirname(path)}, and df -i, say what is full`,
      });
    case "EROFS":
      return new BerryError("cannot-create", `${path}: cannot be written: its file system is read-only`, {
        hint: `findmnt --target ${dirname(path)} says which it is: mount it read-write`,
      });
    case "EISDIR":
    case "ENOTDIR":
    case "ENOTEMPTY":
    case "EEXIST":
    case "ELOOP":
    case "ENXIO":
      return new BerryError("cannot-create", `${path}: something else is in its place: ${codeOf(cause)}`, {
        hint: `ls -ld ${path}* shows what; remove it`,
      });
    case "EACCES":
    case "EPERM":
      return new BerryError(
        "no-permission",
        `${path}: may not be written to: fans are driven by root alone`,
        {
          hint: "run it with sudo",
        },
      );
    default:
      return new BerryError("io", `${path}: cannot be written`, { cause });
  }
}
