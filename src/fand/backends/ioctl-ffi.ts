import { dlopen, ptr, read } from "bun:ffi";
import { getSystemErrorName } from "node:util";
import type { Ioctl } from "./gpio-file.ts";

/** ioctl(2) of the C library. */
export function openIoctl(): Ioctl {
  const library = dlopen("libc.so.6", {
    ioctl: { args: ["int", "u64", "ptr"], returns: "int" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return (file, request, bytes) => {
    if (library.symbols.ioctl(file, request, ptr(bytes)) !== -1) return;
    const place = library.symbols.__errno_location();
    const number = place === null ? 0 : read.i32(place);
    throw new Error(`${number === 0 ? "unknown error" : getSystemErrorName(-number)} in ioctl`);
  };
}
