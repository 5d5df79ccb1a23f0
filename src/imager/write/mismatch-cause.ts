import { formatBytes } from "../../core/units.ts";

/** What is known of the first place where a card gave back something else. */
export interface MismatchFacts {
  readonly expected: Uint8Array;
  /** As long as `expected`. */
  readonly found: Uint8Array;
  /** The same place, read once more; null: that failed. */
  readonly again: Uint8Array | null;
  /** What was found somewhere else than where it was written; null: nothing was. */
  readonly astray: Astray | null;
}

/** Content of the image at a place of the card where it does not belong. */
export interface Astray {
  readonly foundAt: number;
  readonly belongsAt: number;
}

/** The size of what is compared when a place is looked into. */
const blockBytes = 4096;

/** Offset of the first block that differs; null: none does. */
export function firstWrongBlock(expected: Uint8Array, found: Uint8Array): number | null {
  for (let at = 0; at < expected.length; at += blockBytes) {
    if (!equal(expected.subarray(at, at + blockBytes), found.subarray(at, at + blockBytes))) return at;
  }
  return null;
}

/** What is compared when the place is looked for where something belongs: holes of an image are no larger at times. */
export const sectorBytes = 512;

/** Offsets of the first sectors that differ and are no pattern that may belong anywhere. */
export function tellingSectors(expected: Uint8Array, found: Uint8Array, limit: number): number[] {
  const telling: number[] = [];
  for (let at = 0; at + sectorBytes <= found.length && telling.length < limit; at += sectorBytes) {
    const sector = found.subarray(at, at + sectorBytes);
    if (!isUniform(sector) && !equal(sector, expected.subarray(at, at + sectorBytes))) telling.push(at);
  }
  return telling;
}

/** The distance that most agree on, where at least two do or there is but one; undefined: none is. */
export function commonDistance(astray: readonly Astray[]): Astray | undefined {
  const distance = (one: Astray): number => Math.abs(one.belongsAt - one.foundAt);
  if (astray.length === 1) return astray[0];
  return astray.find((one) => astray.filter((other) => distance(other) === distance(one)).length > 1);
}

/** Whether all bytes are the same one: such a block may belong anywhere. */
function isUniform(block: Uint8Array): boolean {
  const [first] = block;
  return block.every((byte) => byte === first);
}

/** Words for what is most likely wrong with a card, after what it gave back. */
export function mismatchCause(facts: MismatchFacts): string {
  const { expected, found, again, astray } = facts;
  const wrong = firstWrongBlock(expected, found) ?? 0;
  if (astray !== null) {
    const { foundAt, belongsAt } = astray;
    return (
      `the card lies about its size, it is smaller than it says: byte ${foundAt} holds what was written to byte ${belongsAt}, ` +
      `so it has ${formatBytes(Math.abs(belongsAt - foundAt))} at most; use another one`
    );
  }
  if (again !== null && equal(expected, again))
    return "read once more, it is right: the reader or its cable is bad; try another one";
  const block = found.subarray(wrong, wrong + blockBytes);
  if (isUniform(block)) {
    const byte = block[0] === 0 ? "zeros" : block[0] === 0xff ? "ones" : "one byte over and over";
    return `the card did not keep what was written (${byte} came back): it is worn out, write-protected or smaller than it says`;
  }
  const bits = differingBits(expected, found);
  if (bits <= fewBits) {
    return `${bits} ${bits === 1 ? "bit is" : "bits are"} wrong: the card is wearing out, or the reader or its cable is bad`;
  }
  return "the card did not keep what was written (something older came back): it is worn out, write-protected or smaller than it says";
}

/** So few in a whole piece are no other content. */
const fewBits = 64;

function differingBits(one: Uint8Array, other: Uint8Array): number {
  let bits = 0;
  for (const [index, byte] of one.entries()) {
    let difference = byte ^ (other[index] ?? 0);
    while (difference !== 0) {
      bits += difference & 1;
      difference >>= 1;
    }
  }
  return bits;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
