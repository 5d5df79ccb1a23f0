/**
 * Text of others (labels, models, paths) made harmless for a terminal: control characters, and what is invisible or
 * turns the direction of writing, stand as escapes such as `\u{1b}`.
 */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
