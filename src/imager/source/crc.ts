/** Reflected polynomials of cyclic redundancy checks: of GPT, of ext4's metadata_csum, of ext4's gdt_csum. */
export const crc32 = 0xedb88320;
export const crc32c = 0x82f63b78;
export const crc16 = 0xa001;

/** Takes bytes into a sum; what the sum begins with and whether it is inverted in the end is up to the format. */
export type Crc = (sum: number, bytes: Uint8Array) => number;

/** @param polynomial reflected, of 16 or 32 bits */
export function createCrc(polynomial: number): Crc {
  const table = Uint32Array.from({ length: 256 }, (_, index) => {
    let remainder = index;
    for (let bit = 0; bit < 8; bit += 1)
      remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
  return (sum, bytes) => {
    let next = sum;
    for (const byte of bytes) next = (next >>> 8) ^ (table[(next ^ byte) & 0xff] ?? 0);
    return next >>> 0;
  };
}
