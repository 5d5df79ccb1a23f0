import { BerryError } from "../../core/errors.ts";

export interface PartitionPlace {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface ImagePartitions {
  readonly boot: PartitionPlace;
  readonly root: PartitionPlace;
}

const sectorBytes = 512;
const fatTypes = new Set([0x04, 0x06, 0x0b, 0x0c, 0x0e]);
const linuxType = 0x83;
const gptType = 0xee;

/**
 * Finds the FAT boot partition and the Linux root partition in a master boot record.
 * @param sector the first 512 bytes of the image
 * @param imageBytes length of the image: a partition must end within it
 * @throws BerryError `bad-data`
 */
export function readPartitionTable(sector: Uint8Array, imageBytes: number): ImagePartitions {
  if (sector.length < sectorBytes || sector[510] !== 0x55 || sector[511] !== 0xaa) {
    throw new BerryError(
      "bad-data",
      "the image has no partition table: the signature 55 AA is missing at offset 510",
    );
  }
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const entries = [446, 462, 478, 494].map((offset) => ({
    type: view.getUint8(offset + 4),
    offsetBytes: view.getUint32(offset + 8, true) * sectorBytes,
    sizeBytes: view.getUint32(offset + 12, true) * sectorBytes,
  }));
  if (entries.some((entry) => entry.type === gptType)) {
    throw new BerryError("bad-data", "the image has a GPT, which a Raspberry Pi 3 cannot boot from", {
      hint: "use an image with an MBR partition table",
    });
  }
  const find = (what: string, wanted: (type: number) => boolean): PartitionPlace => {
    const entry = entries.find(({ type, sizeBytes }) => wanted(type) && sizeBytes > 0);
    if (entry === undefined) throw new BerryError("bad-data", `the image has no ${what} partition`);
    const end = entry.offsetBytes + entry.sizeBytes;
    if (end > imageBytes) {
      throw new BerryError(
        "bad-data",
        `the ${what} partition ends at byte ${end}, but the image has ${imageBytes} bytes`,
        {
          hint: "the image is cut short: bake it again",
        },
      );
    }
    return { offsetBytes: entry.offsetBytes, sizeBytes: entry.sizeBytes };
  };
  return {
    boot: find("FAT boot", (type) => fatTypes.has(type)),
    root: find("Linux root", (type) => type === linuxType),
  };
}

/** The smallest power of two that holds `size`: QEMU's SD cards come in no other sizes. */
export function cardSize(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(size, 1)));
}
