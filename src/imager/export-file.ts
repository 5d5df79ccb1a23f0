import { fstatSync, fsyncSync, ftruncateSync, read, rmSync, write, writeSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BerryError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { MiB } from "../core/units.ts";
import { pack, packer } from "./pack-file.ts";
import { openPartial, syncFolder } from "./partial-file.ts";
import { createBmap } from "./source/bmap-file.ts";
import { endOf } from "./source/extents.ts";
import { lengthOf, type ImageMap, type OpenImage } from "./source/image-map.ts";
import { openImage } from "./source/open-image.ts";
import { isChanged } from "./source/stamp-file.ts";

export type ExportFormat = "xz" | "zst" | "img";

export interface ExportRequest {
  readonly node: string;
  /** The baked image, NODE.img. */
  readonly image: string;
  /** Folder of the results; it is made where it is missing. */
  readonly output: string;
  readonly format: ExportFormat;
  /** Of xz or zstd; ignored by `img`. */
  readonly level: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type ExportEvent =
  | {
      readonly event: "progress";
      readonly node: string;
      readonly phase: "checksums" | "packing";
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** An image of another format lies beside, which is of an earlier bake: the block map is not its own. */
  | { readonly event: "outdated"; readonly node: string; readonly image: string; readonly bmap: string }
  /** Both files are whole and have their names. */
  | {
      readonly event: "exported";
      readonly node: string;
      readonly image: string;
      readonly bmap: string;
      readonly sizeBytes: number;
      /** Length of the image that was written. */
      readonly packedBytes: number;
      /** What the block map says has to be written to a card. */
      readonly mappedBytes: number;
    };

const readAt = promisify(read);
const writeAt = promisify(write);

/** Where the results of an export go. */
export function exportPaths(request: Pick<ExportRequest, "node" | "output" | "format">): {
  readonly image: string;
  readonly bmap: string;
} {
  const plain = join(request.output, `${request.node}.img`);
  return { image: request.format === "img" ? plain : `${plain}.${request.format}`, bmap: `${plain}.bmap` };
}

/**
 * Writes NODE.img.xz, NODE.img.zst or NODE.img, and NODE.img.bmap, for its own user alone: an image holds secrets.
 * Both get their names when they are whole and on the disk; at no moment does a block map stand beside an image
 * that it is not of.
 * @throws BerryError `no-input`, `bad-data` for what is no image or changes meanwhile, `cannot-create`, `unavailable`,
 *   `io`
 */
export async function exportImage(
  request: ExportRequest,
  tell: (event: ExportEvent) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { node, output } = request;
  const paths = exportPaths(request);
  await mkdir(output, { recursive: true }).catch((cause: unknown) => {
    throw new BerryError("cannot-create", `cannot make the folder ${output}`, { cause });
  });
  const doubts: string[] = [];
  const warn = (message: string): void => void doubts.push(message);
  await using image = await openImage(request.image, { bmap: null, warn }, signal);
  const [doubt] = doubts;
  if (doubt !== undefined) throw new BerryError("bad-data", doubt, { hint: `berry imager bake ${node}` });
  await image.moreThan(Infinity, signal);
  const { map } = image;
  const progress = (phase: "checksums" | "packing"): ((doneBytes: number, totalBytes: number) => void) => {
    let told = -1;
    return (doneBytes, totalBytes) => {
      if (doneBytes === told) return;
      told = doneBytes;
      tell({ event: "progress", node, phase, doneBytes, totalBytes });
    };
  };
  const text = await createBmap(image.fileDescriptor, map, progress("checksums"), signal);
  using packed = await openPartial(paths.image);
  if (request.format === "img")
    await copySparsely(
      image.fileDescriptor,
      map,
      packed.fileDescriptor,
      paths.image,
      progress("packing"),
      signal,
    );
  else {
    const argv = packer(request.format, request.level, map.sizeBytes);
    const files = { source: image.fileDescriptor, target: packed.fileDescriptor };
    const packing = progress("packing");
    await pack(argv, files, request, (done) => packing(done, map.sizeBytes), clock, signal);
  }
  using bmap = await openPartial(paths.bmap);
  keep(paths.image, () => fsyncSync(packed.fileDescriptor));
  keep(paths.bmap, () => {
    writeSync(bmap.fileDescriptor, text);
    fsyncSync(bmap.fileDescriptor);
  });
  signal.throwIfAborted();
  if (image.stamp !== null && isChanged(image.fileDescriptor, image.stamp)) {
    throw new BerryError("bad-data", `${request.image} was changed while it was exported`, {
      hint: "leave the image alone until the export is done, then export it again",
    });
  }
  const outdated = await outdatedBeside(request, paths, image, text);
  keep(paths.bmap, () => rmSync(paths.bmap, { force: true }));
  packed.publish();
  bmap.publish();
  syncFolder(output);
  for (const other of outdated) tell({ event: "outdated", node, image: other, bmap: paths.bmap });
  tell({
    event: "exported",
    node,
    ...paths,
    sizeBytes: map.sizeBytes,
    packedBytes: fstatSync(packed.fileDescriptor).size,
    mappedBytes: lengthOf([...map.data, ...map.zeros]),
  });
}

/** The node's images of other formats in the same folder that are older than the image, or had another block map. */
async function outdatedBeside(
  { node, output }: ExportRequest,
  paths: { readonly image: string; readonly bmap: string },
  image: OpenImage,
  text: string,
): Promise<string[]> {
  const source = fstatSync(image.fileDescriptor, { bigint: true });
  const earlier = await readFile(paths.bmap, "utf8").catch(() => text);
  const outdated: string[] = [];
  for (const format of ["xz", "zst", "img"] as const) {
    const other = exportPaths({ node, output, format }).image;
    const found = other === paths.image ? null : await stat(other, { bigint: true }).catch(() => null);
    if (found === null || (found.dev === source.dev && found.ino === source.ino)) continue;
    if (earlier !== text || found.mtimeNs < source.mtimeNs) outdated.push(other);
  }
  return outdated;
}

async function copySparsely(
  source: number,
  map: ImageMap,
  target: number,
  path: string,
  tell: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const totalBytes = lengthOf(map.data);
  const buffer = new Uint8Array(MiB);
  let doneBytes = 0;
  keep(path, () => ftruncateSync(target, map.sizeBytes));
  for (const extent of map.data) {
    let offset = extent.offsetBytes;
    while (offset < endOf(extent)) {
      signal.throwIfAborted();
      const { bytesRead } = await readAt(source, buffer, 0, Math.min(MiB, endOf(extent) - offset), offset);
      if (bytesRead === 0)
        throw new BerryError("io", `the image ends at byte ${offset}: it was changed meanwhile`);
      let written = 0;
      while (written < bytesRead) {
        const { bytesWritten } = await writeAt(
          target,
          buffer,
          written,
          bytesRead - written,
          offset + written,
        ).catch((cause: unknown) => {
          throw new BerryError("cannot-create", `cannot write ${path}`, { cause });
        });
        written += bytesWritten;
      }
      offset += bytesRead;
      doneBytes += bytesRead;
      tell(doneBytes, totalBytes);
    }
  }
}

function keep(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot write ${path}`, { cause });
  }
}
