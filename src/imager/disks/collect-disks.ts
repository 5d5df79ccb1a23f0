import { BerryError } from "../../core/errors.ts";
import type { Disk, KeepPaths, SystemRoots } from "./disk.ts";

/**
 * Every disk that the kernel knows, with all that is known against writing to it; nothing is opened.
 *
 * @throws BerryError `os` when the kernel does not tell what disks there are, or what is mounted
 */
export function collectDisks(roots: SystemRoots, keep: KeepPaths, signal?: AbortSignal): Promise<Disk[]> {
  signal?.throwIfAborted();
  return Promise.reject(
    new BerryError("os", `cannot tell the disks of ${roots.sys} that hold ${keep.length} paths`),
  );
}
