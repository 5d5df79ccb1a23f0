import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { imageSoftware } from "./compose-software.ts";
import type { SoftwareSources } from "./compose-software.ts";
import type { LayerNotes, PackageOrigin, Software } from "./software.ts";

/** Names in a layer's folder, beside its tree. */
export const noteNames = {
  database: "software.database",
  digests: "software.digests",
  osRelease: "software.os-release",
} as const;

/** What a layer noted of its packages; null: it has no notes, as those that an older berry made. */
export async function readLayerNotes(directory: string, origin: PackageOrigin): Promise<LayerNotes | null> {
  try {
    const [database, digests, osRelease] = await Promise.all(
      [noteNames.database, noteNames.digests, noteNames.osRelease].map((name) =>
        readFile(join(directory, name), "utf8"),
      ),
    );
    return { origin, database: database ?? "", digests: digests ?? "", osRelease: osRelease ?? "" };
  } catch {
    return null;
  }
}

/** @throws BerryError `bad-data` when a layer has no notes */
export async function readSoftware(sources: SoftwareSources): Promise<Software> {
  const notes = await Promise.all(
    sources.layers.map(async ({ directory, origin }) => {
      const found = await readLayerNotes(directory, origin);
      if (found !== null) return found;
      throw new BerryError("bad-data", `${directory} does not say which packages it has`, {
        hint: "remove that folder, or make every layer anew with --refresh",
      });
    }),
  );
  return imageSoftware(sources, notes);
}
