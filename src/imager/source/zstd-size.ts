import type { ReadBytes } from "./extents.ts";

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** `size`: null where a frame does not tell it; `cut`: the file ends within a frame; `not-zstd`: other bytes follow. */
export type ZstdSize =
  | { readonly is: "size"; readonly sizeBytes: number | null }
  | { readonly is: "cut" }
  | { readonly is: "not-zstd" };

/**
 * How large a zstd file is when it is decompressed: the sum of what its frames' headers tell (RFC 8878, section 3.1).
 * Walks the blocks' headers, so that it is known as well whether the file is whole.
 */
export async function zstdSize(read: ReadBytes, fileBytes: number): Promise<ZstdSize> {
  let total: number | null = 0;
  let position = 0;
  while (position < fileBytes) {
    const head = await read(position, 18);
    if (head.length < 5) return { is: "cut" };
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const magic = view.getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      if (head.length < 8) return { is: "cut" };
      position += 8 + view.getUint32(4, true);
      continue;
    }
    if (magic !== frameMagic) return { is: "not-zstd" };
    const descriptor = view.getUint8(4);
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeField = descriptor >> 6;
    const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][sizeField] ?? 0;
    const sizeOffset = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
    if (head.length < sizeOffset + sizeLength) return { is: "cut" };
    const size = contentSize(view, sizeOffset, sizeLength);
    total = total === null || size === null ? null : total + size;
    const end = await endOfBlocks(read, position + sizeOffset + sizeLength, fileBytes);
    if (end === null) return { is: "cut" };
    position = end + ((descriptor & 0x4) === 0 ? 0 : 4);
  }
  return position === fileBytes ? { is: "size", sizeBytes: total } : { is: "cut" };
}

function contentSize(view: DataView, offset: number, length: number): number | null {
  switch (length) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset, true) + 256;
    case 4:
      return view.getUint32(offset, true);
    case 8:
      return Number(view.getBigUint64(offset, true));
  }
  return null;
}

async function endOfBlocks(read: ReadBytes, start: number, fileBytes: number): Promise<number | null> {
  let position = start;
  while (position < fileBytes) {
    const [first, second, third] = await read(position, 3);
    if (first === undefined || second === undefined || third === undefined) return null;
    const header = first | (second << 8) | (third << 16);
    const isRepeatedByte = ((header >> 1) & 3) === 1;
    position += 3 + (isRepeatedByte ? 1 : header >> 3);
    if ((header & 1) === 1) return position;
  }
  return null;
}
