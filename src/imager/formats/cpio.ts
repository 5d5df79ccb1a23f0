/** One member of a cpio archive; `content` is a view of the archive. */
export interface CpioMember {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

export interface CpioParts {
  readonly members: readonly CpioMember[];
  /** What follows the last archive: another one, compressed; empty: nothing. */
  readonly rest: Uint8Array;
}

const headerBytes = 110;
const trailer = "TRAILER!!!";

/**
 * Reads the uncompressed "newc" archives at the start of an initramfs, which may be several in a row
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Zeros between them are skipped.
 * @throws RangeError when a header is not one, or a member ends after the archive
 */
export function readCpio(archive: Uint8Array): CpioParts {
  const members: CpioMember[] = [];
  let at = 0;
  while (at < archive.length) {
    if (archive[at] === 0) {
      at += 1;
      continue;
    }
    if (!startsWithMagic(archive, at)) break;
    const nameBytes = field(archive, at, 11);
    const contentBytes = field(archive, at, 6);
    const nameStart = at + headerBytes;
    const contentStart = align(nameStart + nameBytes);
    const end = contentStart + contentBytes;
    if (end > archive.length) throw new RangeError(`a member of the archive ends after it, at byte ${end}`);
    const name = new TextDecoder().decode(archive.subarray(nameStart, nameStart + nameBytes - 1));
    if (name !== trailer)
      members.push({ name, mode: field(archive, at, 1), content: archive.subarray(contentStart, end) });
    at = align(end);
  }
  return { members, rest: archive.subarray(Math.min(at, archive.length)) };
}

function startsWithMagic(archive: Uint8Array, at: number): boolean {
  const magic = String.fromCharCode(...archive.subarray(at, at + 6));
  return magic === "070701" || magic === "070702";
}

/** The n-th of the header's fields, each eight hexadecimal digits after the magic. */
function field(archive: Uint8Array, at: number, index: number): number {
  const start = at + 6 + index * 8;
  const value = Number.parseInt(String.fromCharCode(...archive.subarray(start, start + 8)), 16);
  if (Number.isNaN(value))
    throw new RangeError(`a field of the archive's header at byte ${start} is no number`);
  return value;
}

function align(at: number): number {
  return Math.ceil(at / 4) * 4;
}
