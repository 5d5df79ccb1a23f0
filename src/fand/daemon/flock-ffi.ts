import { dlopen, read } from "bun:ffi";
import { BerryError } from "../../core/errors.ts";

const kinds = { shared: 1, exclusive: 2 } as const;
const withoutWaiting = 4;

/** errno(3): another has it. */
const EAGAIN = 11;

/**
 * flock(2), which the kernel takes back when the file is closed, whatever becomes of the process.
 * @param path for messages @returns false where another has it
 * @throws BerryError `os`
 */
export function tryLock(file: number, kind: keyof typeof kinds, path: string): boolean {
  const library = openLibrary();
  try {
    if (library.symbols.flock(file, kinds[kind] | withoutWaiting) === 0) return true;
    const place = library.symbols.__errno_location();
    const number = place === null ? 0 : read.i32(place);
    if (number === EAGAIN) return false;
    throw new BerryError("os", `${path}: cannot be locked: error ${number} of flock`);
  } finally {
    library.close();
  }
}

function openLibrary() {
  try {
    return dlopen("libc.so.6", {
      flock: { args: ["int", "int"], returns: "int" },
      __errno_location: { args: [], returns: "ptr" },
    });
  } catch (cause) {
    // what calls it is compiled while it runs, in memory that is set aside in one piece
    if (cause instanceof Error && cause.message.includes("JIT"))
      throw new BerryError("os", "the C library cannot be called: there is no memory for code", {
        cause,
        hint: "take back the limit: ulimit -v unlimited, or LimitAS=infinity and MemoryDenyWriteExecute=no in the unit",
      });
    throw new BerryError("os", "the C library cannot be called", { cause });
  }
}
