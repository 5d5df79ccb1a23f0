import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { parseBmap, type Bmap } from "./bmap.ts";

export interface FoundBmap {
  readonly path: string;
  readonly bmap: Bmap;
}

const maximumBytes = 256 * MiB;

/**
 * Reads the block map of an image.
 * @param newerThan milliseconds since the epoch: one beside the image that is older is of an earlier image
 * @param onOlder hears the path of one that is
 * @param wanted `find`: one of `bmapPaths`, where there is one; a path: that one; null: none
 * @throws BerryError `no-input` where the named one is missing, `bad-data` where it is damaged
 */
export async function findBmap(
  imagePath: string,
  wanted: string | null,
  newerThan: number,
  onOlder: (path: string) => void,
): Promise<FoundBmap | null> {
  if (wanted === null) return null;
  if (wanted !== "find") return await readBmap(wanted);
  for (const path of bmapPaths(imagePath)) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile() !== true) continue;
    if (found.mtimeMs >= newerThan) return await readBmap(path);
    onOlder(path);
  }
  return null;
}

/** Where the block map of an image is looked for: of `X.img.xz`, `X.img.bmap`, `X.img.xz.bmap` and `X.bmap`. */
function bmapPaths(imagePath: string): string[] {
  const withoutExtension = (path: string): string => path.slice(0, path.length - extname(path).length);
  const once = withoutExtension(imagePath);
  const isPacked = [".xz", ".zst", ".gz"].includes(extname(imagePath));
  const stems = isPacked ? [once, imagePath, withoutExtension(once)] : [imagePath, once];
  return [...new Set(stems)].map((stem) => `${stem}.bmap`);
}

async function readBmap(path: string): Promise<FoundBmap> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > maximumBytes) throw new Error(`${size} bytes are too many`);
    bytes = await readFile(path);
  } catch (cause) {
    throw new BerryError("no-input", `cannot read the block map ${path}`, { cause });
  }
  return { path, bmap: parseBmap(bytes, path) };
}
