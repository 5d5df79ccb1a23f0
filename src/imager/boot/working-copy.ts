import { mkdtemp, open, rm, stat, truncate } from "node:fs/promises";
import { join, resolve } from "node:path";

import { BerryError } from "../../core/errors.ts";
import type { BootPorts } from "./boot-request.ts";
import { cardSize, readPartitionTable, type ImagePartitions } from "./partition-table.ts";
import { runTool } from "./run-tool.ts";

/** A private folder with a copy of an image, as large as an SD card. Disposing of it removes the folder. */
export interface WorkingCopy extends AsyncDisposable {
  readonly folder: string;
  readonly image: string;
  readonly sizeBytes: number;
  readonly partitions: ImagePartitions;
}

/**
 * Copies an image sparsely (by reference where the file system can) and grows it to a power of two.
 * The image itself is only read.
 * @param cp path of the program
 * @throws BerryError `no-input` when there is no image, `bad-data` when it is none
 */
export async function copyImage(
  image: string,
  scratchDirectory: string,
  cp: string,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<WorkingCopy> {
  const partitions = await inspectImage(image);
  const folder = await privateFolder(scratchDirectory);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const copy = join(folder, "card.img");
  await runTool([cp, "--reflink=auto", "--sparse=always", "--", resolve(image), copy], ports, signal);
  const sizeBytes = cardSize((await stat(copy)).size);
  await truncate(copy, sizeBytes);
  const owned = undo.move();
  return { folder, image: copy, sizeBytes, partitions, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function inspectImage(image: string): Promise<ImagePartitions> {
  const found = await stat(image).catch(() => null);
  if (found === null || !found.isFile()) {
    throw new BerryError("no-input", `no image at ${image}`, { hint: "bake it first: berry imager bake" });
  }
  await using file = await open(image, "r");
  const sector = new Uint8Array(512);
  const { bytesRead } = await file.read(sector, 0, sector.length, 0);
  return readPartitionTable(sector.subarray(0, bytesRead), found.size);
}

/** mkdtemp makes it for its owner alone (0700). */
async function privateFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, "berry-boot-"));
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot make a folder for the working copy in ${parent}`, {
      cause,
    });
  }
}
