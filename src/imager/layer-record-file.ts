import { randomUUID } from "node:crypto";
import { lstat, open, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noteNames } from "./software/software-file.ts";

/**
 * What a published layer knows of itself. A layer's key says what went in; packages of today differ from
 * yesterday's under the same key, so that a layer is also bound to the very layers that it was made upon.
 */
interface LayerRecord {
  readonly id: string;
  /** Ids of the layers below, by the names of their folders. */
  readonly below: Readonly<Record<string, string>>;
  /** Names in the layer's folder. */
  readonly parts: readonly string[];
}

const recordName = "layer.json";

/** Writes a layer's record, before it is published; `lower` are the trees that it was made upon. */
export async function recordLayer(work: string, lower: readonly string[]): Promise<void> {
  const below: Record<string, string> = {};
  for (const tree of lower) {
    const record = await readRecord(dirname(tree));
    if (record !== null) below[nameOf(dirname(tree))] = record.id;
  }
  const record: LayerRecord = { id: randomUUID(), below, parts: await readdir(work) };
  await using file = await open(join(work, recordName), "w", 0o600);
  await file.writeFile(`${JSON.stringify(record)}\n`);
}

/** Names of the layers of which nothing was removed, and which stand upon the very layers that they were made upon. */
export async function intactLayers(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const records = new Map<string, LayerRecord>();
  for (const name of names) {
    const record = await readRecord(join(folder, name));
    if (record !== null && tellsSoftware(name, record) && (await isWhole(join(folder, name), record)))
      records.set(name, record);
  }
  const isIntact = ({ below }: LayerRecord): boolean =>
    Object.entries(below).every(([name, id]) => {
      const lower = records.get(name);
      return lower?.id === id && isIntact(lower);
    });
  return [...records].filter(([, record]) => isIntact(record)).map(([name]) => name);
}

async function readRecord(layer: string): Promise<LayerRecord | null> {
  try {
    // Checked boundary: berry itself wrote it, and made it whole before the layer had its name.
    const record = JSON.parse(await readFile(join(layer, recordName), "utf8")) as LayerRecord;
    return Array.isArray(record.parts) && record.below instanceof Object ? record : null;
  } catch {
    return null;
  }
}

/** What an older berry made does not say which packages it has; native tools are never part of an image. */
function tellsSoftware(name: string, { parts }: LayerRecord): boolean {
  return name.startsWith("native-tools-") || Object.values(noteNames).every((note) => parts.includes(note));
}

async function isWhole(layer: string, { parts }: LayerRecord): Promise<boolean> {
  for (const part of parts) {
    if ((await lstat(join(layer, part)).catch(() => null)) === null) return false;
  }
  return true;
}

function nameOf(layer: string): string {
  return layer.slice(layer.lastIndexOf("/") + 1);
}
