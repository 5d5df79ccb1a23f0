import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";

/** A file without a name: the kernel frees it when the last process that has it open is gone, however that ends. */
export interface Scratch extends AsyncDisposable {
  readonly fileDescriptor: number;
  readonly folder: string;
  /** What its file system has left for this user. */
  readonly freeBytes: number;
}

const tmpfsMagic = 0x01021994;
const ramfsMagic = 0x858458f6;

/**
 * Opens a nameless file, read and write, for its owner alone: in `$TMPDIR`, else /var/tmp, else beside the image;
 * where memory poses as a disk only if there is no other place.
 * @throws BerryError `cannot-create`
 */
export function openScratch(imagePath: string, temporaryFolder: string | undefined): Scratch {
  const named = temporaryFolder === undefined || temporaryFolder === "" ? [] : [temporaryFolder];
  const folders = [...named, "/var/tmp", dirname(imagePath)];
  const failures: string[] = [];
  for (const folder of folders.toSorted((one, other) => Number(isMemory(one)) - Number(isMemory(other)))) {
    try {
      const fileDescriptor = openNameless(folder);
      const { bavail, bsize } = statfsSync(folder);
      return {
        fileDescriptor,
        folder,
        freeBytes: bavail * bsize,
        [Symbol.asyncDispose]: async () => closeSync(fileDescriptor),
      };
    } catch (cause) {
      failures.push(messageOf(cause));
    }
  }
  throw new BerryError(
    "cannot-create",
    `no place for the decompressed image of ${imagePath}: ${failures.join("; ")}`,
    { hint: "name a folder with room for it: TMPDIR=FOLDER" },
  );
}

function isMemory(folder: string): boolean {
  try {
    return [tmpfsMagic, ramfsMagic].includes(statfsSync(folder).type);
  } catch {
    return false;
  }
}

function openNameless(folder: string): number {
  try {
    // O_TMPFILE of open(2); node has no name for it, and it contains O_DIRECTORY, which differs between machines
    const temporary = 0x400000 | constants.O_DIRECTORY;
    const fileDescriptor = openSync(folder, temporary | constants.O_RDWR | constants.O_EXCL, 0o600);
    if (fstatSync(fileDescriptor).isFile()) return fileDescriptor;
    closeSync(fileDescriptor);
  } catch {
    // not every file system has it: a name then, for a moment
  }
  const own = mkdtempSync(join(folder, ".berry-image-"));
  try {
    return openSync(
      join(own, "image"),
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
