import { crc32, createCrc } from "./crc.ts";
import { alignOutward, endOf, extent, union, type ReadBytes } from "./extents.ts";
import type { Extent } from "./image-map.ts";

/** What an image's partition tables say. */
export interface PartitionTables {
  /** In order; neither of length 0 nor beyond the end of the image. */
  readonly partitions: readonly Extent[];
  /** Where the tables themselves lie, and what of a damaged one cannot be told apart from partitions. */
  readonly tables: readonly Extent[];
  /** What of a table ends beyond the end of the image, as the table tells it; an entry that protects a GPT may. */
  readonly beyond: readonly Extent[];
}

const sectorBytes = 512;
const protective = 0xee;
const extendedTypes = new Set([0x05, 0x0f, 0x85]);
const maximumLogical = 256;

type Found = Pick<PartitionTables, "partitions" | "tables">;

interface Entry extends Extent {
  readonly type: number;
}

/**
 * Reads a master boot record with its logical partitions, or a GPT (UEFI 2.10, chapter 5) with its checksums.
 * @returns null where the image has neither
 */
export async function readPartitionTables(
  read: ReadBytes,
  sizeBytes: number,
): Promise<PartitionTables | null> {
  const entries = entriesOf(await read(0, sectorBytes));
  if (entries === null || entries.every(({ type }) => type === 0)) return null;
  const partitions: Extent[] = [];
  const containers: Extent[] = [];
  // where a GPT would be: what an image without one leaves unsaid there must not be another's
  const leastGuid = extent(0, 34 * sectorBytes);
  const tables: Extent[] = [leastGuid];
  for (const entry of entries) {
    if (entry.type === 0 || entry.lengthBytes === 0) continue;
    if (entry.type === protective) {
      const guid = await readGuidTable(read, sizeBytes);
      if (guid === null) {
        tables.push(extent(0, sizeBytes));
        containers.push(leastGuid);
      } else {
        partitions.push(...guid.partitions);
        tables.push(...guid.tables);
      }
    } else if (extendedTypes.has(entry.type)) {
      const logical = await readLogical(read, entry, sizeBytes);
      containers.push(entry);
      partitions.push(...logical.partitions);
      tables.push(...logical.tables);
    } else partitions.push(entry);
  }
  const clip = (one: Extent): Extent =>
    extent(one.offsetBytes, Math.min(one.lengthBytes, sizeBytes - one.offsetBytes));
  const isInside = (one: Extent): boolean => one.offsetBytes < sizeBytes && one.lengthBytes > 0;
  return {
    partitions: partitions
      .filter(isInside)
      .map(clip)
      .toSorted((one, other) => one.offsetBytes - other.offsetBytes),
    tables: alignOutward(union(tables.filter(isInside).map(clip)), sectorBytes, sizeBytes),
    beyond: [...partitions, ...containers].filter((one) => endOf(one) > sizeBytes),
  };
}

/** The four entries of a boot record; null where there is none, as in the boot sector of a FAT. */
function entriesOf(sector: Uint8Array): Entry[] | null {
  if (sector.length < sectorBytes || sector[510] !== 0x55 || sector[511] !== 0xaa) return null;
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const offsets = [446, 462, 478, 494];
  if (offsets.some((offset) => (view.getUint8(offset) & 0x7f) !== 0)) return null;
  return offsets.map((offset) => ({
    type: view.getUint8(offset + 4),
    offsetBytes: view.getUint32(offset + 8, true) * sectorBytes,
    lengthBytes: view.getUint32(offset + 12, true) * sectorBytes,
  }));
}

/** Walks the chain of extended boot records, each of which has one partition and tells the next. */
async function readLogical(read: ReadBytes, extended: Extent, sizeBytes: number): Promise<Found> {
  const partitions: Extent[] = [];
  const tables: Extent[] = [];
  const seen = new Set<number>();
  const doubt: Found = { partitions, tables: [extended] };
  let next = extended.offsetBytes;
  while (true) {
    if (seen.has(next) || seen.size === maximumLogical || next >= Math.min(endOf(extended), sizeBytes))
      return doubt;
    seen.add(next);
    const entries = entriesOf(await read(next, sectorBytes));
    const [partition, link] = entries ?? [];
    if (partition === undefined || link === undefined) return doubt;
    tables.push(extent(next, sectorBytes));
    if (partition.type !== 0 && partition.lengthBytes > 0)
      partitions.push(extent(next + partition.offsetBytes, partition.lengthBytes));
    if (link.type === 0 || link.lengthBytes === 0) return { partitions, tables };
    if (!extendedTypes.has(link.type)) return doubt;
    next = extended.offsetBytes + link.offsetBytes;
  }
}

/** @returns null where the first GPT is missing or damaged: the copy at the end is of no use to firmware */
async function readGuidTable(read: ReadBytes, sizeBytes: number): Promise<Found | null> {
  const header = await read(sectorBytes, sectorBytes);
  if (header.length < sectorBytes || new TextDecoder("latin1").decode(header.subarray(0, 8)) !== "EFI PART")
    return null;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const sector = (offset: number): number => Number(view.getBigUint64(offset, true));
  const headerBytes = view.getUint32(12, true);
  if (headerBytes < 92 || headerBytes > sectorBytes) return null;
  const crc = createCrc(crc32);
  const sumOf = (bytes: Uint8Array): number => (crc(0xffffffff, bytes) ^ 0xffffffff) >>> 0;
  const summed = header.slice(0, headerBytes).fill(0, 16, 20);
  if (sumOf(summed) !== view.getUint32(16, true)) return null;
  const entryCount = view.getUint32(80, true);
  const entryBytes = view.getUint32(84, true);
  const arrayBytes = entryCount * entryBytes;
  const arrayOffset = sector(72) * sectorBytes;
  if (entryBytes < 128 || entryBytes % 8 !== 0 || arrayBytes > 1 << 20 || arrayOffset >= sizeBytes)
    return null;
  const array = await read(arrayOffset, arrayBytes);
  if (array.length < arrayBytes || sumOf(array) !== view.getUint32(88, true)) return null;
  const partitions: Extent[] = [];
  const entries = new DataView(array.buffer, array.byteOffset, array.byteLength);
  for (let offset = 0; offset < arrayBytes; offset += entryBytes) {
    if (array.subarray(offset, offset + 16).every((byte) => byte === 0)) continue;
    const first = Number(entries.getBigUint64(offset + 32, true));
    const last = Number(entries.getBigUint64(offset + 40, true));
    if (last < first) return null;
    partitions.push(extent(first * sectorBytes, (last - first + 1) * sectorBytes));
  }
  const backup = Math.max(0, sizeBytes - Math.ceil(arrayBytes / sectorBytes + 1) * sectorBytes);
  return {
    partitions,
    tables: [extent(0, 2 * sectorBytes), extent(arrayOffset, arrayBytes), extent(backup, sizeBytes - backup)],
  };
}
