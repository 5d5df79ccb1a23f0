/** Letters and digits that nobody takes for another one: 32 of them, 5 bits each. */
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

/** How many random bytes `passwordFrom` wants. */
export const passwordRandomBytes = 20;

/** A password of 100 bits that can be typed: `k7mw2-…`, four groups of five. */
export function passwordFrom(random: Uint8Array): string {
  if (random.length !== passwordRandomBytes)
    throw new RangeError(`${passwordRandomBytes} random bytes are needed`);
  const letters = Array.from(random, (byte) => alphabet[byte % alphabet.length]);
  return [0, 5, 10, 15].map((start) => letters.slice(start, start + 5).join("")).join("-");
}
