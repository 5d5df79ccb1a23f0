import { extent, union, type ReadBytes } from "./extents.ts";
import type { Extent } from "./image-map.ts";

const readChunkBytes = 1 << 20;

/** Where a FAT's parts lie; sectors count from the beginning of the file system. */
interface FatLayout {
  readonly clusterBytes: number;
  readonly fatStartBytes: number;
  readonly fatBytes: number;
  readonly fats: number;
  readonly dataStartBytes: number;
  readonly clusters: number;
  readonly entryBits: 12 | 16 | 32;
}

/** Whether the first sector has a FAT's parameter block (Microsoft FAT specification, section 3). */
export function looksLikeFat(sector: Uint8Array): boolean {
  return layoutOf(sector, Infinity) !== null;
}

/**
 * What of a FAT12, FAT16 or FAT32 has to hold what the image holds: boot sectors, FATs, the root folder and every
 * cluster that one of the FATs calls anything but free.
 * @param area of the file system; offsets of the result count as its own do
 * @returns null where it is none, or none that can be trusted
 */
export async function fatUsage(read: ReadBytes, area: Extent): Promise<Extent[] | null> {
  const layout = layoutOf(await read(area.offsetBytes, 512), area.lengthBytes);
  if (layout === null) return null;
  const used = new Uint8Array(layout.clusters);
  for (let fat = 0; fat < layout.fats; fat += 1) {
    const start = area.offsetBytes + layout.fatStartBytes + fat * layout.fatBytes;
    if (!(await markAllocated(read, start, layout, used))) return null;
  }
  const found: Extent[] = [extent(area.offsetBytes, layout.dataStartBytes)];
  const dataStart = area.offsetBytes + layout.dataStartBytes;
  for (let first = 0; first < used.length; first += 1) {
    if (used[first] === 0) continue;
    let after = first;
    while (after < used.length && used[after] !== 0) after += 1;
    found.push(extent(dataStart + first * layout.clusterBytes, (after - first) * layout.clusterBytes));
    first = after;
  }
  return union(found);
}

function layoutOf(sector: Uint8Array, areaBytes: number): FatLayout | null {
  if (sector.length < 512 || sector[510] !== 0x55 || sector[511] !== 0xaa) return null;
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const jump = view.getUint8(0);
  const sectorBytes = view.getUint16(11, true);
  const clusterSectors = view.getUint8(13);
  const reserved = view.getUint16(14, true);
  const fats = view.getUint8(16);
  const rootEntries = view.getUint16(17, true);
  const media = view.getUint8(21);
  const fatSectors16 = view.getUint16(22, true);
  const fatSectors = fatSectors16 === 0 ? view.getUint32(36, true) : fatSectors16;
  const sectors = view.getUint16(19, true) === 0 ? view.getUint32(32, true) : view.getUint16(19, true);
  const isPlausible =
    (jump === 0xeb || jump === 0xe9) &&
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    clusterSectors > 0 &&
    (clusterSectors & (clusterSectors - 1)) === 0 &&
    reserved > 0 &&
    fats > 0 &&
    fats <= 4 &&
    (media === 0xf0 || media >= 0xf8) &&
    fatSectors > 0 &&
    (fatSectors16 === 0) === (rootEntries === 0) &&
    sectors * sectorBytes <= areaBytes;
  if (!isPlausible) return null;
  const rootSectors = Math.ceil((rootEntries * 32) / sectorBytes);
  const dataStart = reserved + fats * fatSectors + rootSectors;
  const clusters = Math.floor((sectors - dataStart) / clusterSectors);
  if (clusters < 1) return null;
  const entryBits = fatSectors16 === 0 ? 32 : clusters < 4085 ? 12 : 16;
  if (clusters > (entryBits === 16 ? 65524 : 0x0ffffff5)) return null;
  const fatBytes = fatSectors * sectorBytes;
  if (((clusters + 2) * entryBits) / 8 > fatBytes) return null;
  return {
    clusterBytes: clusterSectors * sectorBytes,
    fatStartBytes: reserved * sectorBytes,
    fatBytes,
    fats,
    dataStartBytes: dataStart * sectorBytes,
    clusters,
    entryBits,
  };
}

/** Marks the clusters, counted from the first, whose entry is not 0; false where the image ends too early. */
async function markAllocated(
  read: ReadBytes,
  fatStart: number,
  { clusters, entryBits }: FatLayout,
  used: Uint8Array,
): Promise<boolean> {
  // three bytes hold two entries of 12 bits: a chunk begins with a whole entry
  const chunkBytes = entryBits === 12 ? 3 * (readChunkBytes / 4) : readChunkBytes;
  const wanted = Math.ceil(((clusters + 2) * entryBits) / 8);
  for (let offset = 0; offset < wanted; offset += chunkBytes) {
    const length = Math.min(chunkBytes, wanted - offset);
    const bytes = await read(fatStart + offset, length);
    if (bytes.length < length) return false;
    const firstEntry = (offset * 8) / entryBits;
    const entries = Math.floor((length * 8) / entryBits);
    for (let index = 0; index < entries; index += 1) {
      const cluster = firstEntry + index - 2;
      if (cluster >= 0 && cluster < clusters && entryAt(bytes, index, entryBits) !== 0) used[cluster] = 1;
    }
  }
  return true;
}

function entryAt(bytes: Uint8Array, index: number, entryBits: 12 | 16 | 32): number {
  const byte = (offset: number): number => bytes[offset] ?? 0;
  switch (entryBits) {
    case 12: {
      const at = Math.floor(index / 2) * 3;
      return index % 2 === 0
        ? byte(at) | ((byte(at + 1) & 0x0f) << 8)
        : (byte(at + 1) >> 4) | (byte(at + 2) << 4);
    }
    case 16:
      return byte(index * 2) | (byte(index * 2 + 1) << 8);
    case 32:
      // the upper four bits are reserved
      return (
        byte(index * 4) |
        (byte(index * 4 + 1) << 8) |
        (byte(index * 4 + 2) << 16) |
        ((byte(index * 4 + 3) & 0x0f) << 24)
      );
  }
}
