import type { Pattern } from "./pattern.ts";

/** What one place of a glob takes: any text, or one character that passes. */
type Piece = "any text" | ((character: string) => boolean);

/**
 * `*` stands for any text, `?` for any character, `[a-c4]` for one of these and `[!a-c4]` for none of them; case does
 * not count, and the whole text has to match. The time is at most the product of both lengths.
 * @returns null where a bracket is not closed, or holds nothing
 */
export function globPattern(glob: string): Pattern | null {
  const pieces = piecesOf(Array.from(glob.toLowerCase()));
  if (pieces === null) return null;
  return { test: (text) => matches(Array.from(text.toLowerCase()), pieces) };
}

function piecesOf(glob: readonly string[]): readonly Piece[] | null {
  const pieces: Piece[] = [];
  for (let at = 0; at < glob.length; at += 1) {
    const wanted = glob[at] ?? "";
    if (wanted === "*") pieces.push("any text");
    else if (wanted === "?") pieces.push(() => true);
    else if (wanted === "[") {
      const isNegated = glob[at + 1] === "!" || glob[at + 1] === "^";
      const start = at + (isNegated ? 2 : 1);
      const end = glob.indexOf("]", start);
      if (end <= start) return null;
      const isOneOf = oneOf(glob.slice(start, end));
      pieces.push((character) => isOneOf(character) !== isNegated);
      at = end;
    } else pieces.push((character) => character === wanted);
  }
  return pieces;
}

function oneOf(members: readonly string[]): (character: string) => boolean {
  const ranges: { readonly from: string; readonly to: string }[] = [];
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? "";
    const to = members[at + 1] === "-" ? members[at + 2] : undefined;
    ranges.push({ from, to: to ?? from });
    if (to !== undefined) at += 2;
  }
  return (character) => ranges.some(({ from, to }) => character >= from && character <= to);
}

function matches(text: readonly string[], pieces: readonly Piece[]): boolean {
  let [at, place] = [0, 0];
  // where the last star stands, and how much of the text it has eaten
  let [star, eaten] = [-1, 0];
  while (at < text.length) {
    const piece = pieces[place];
    if (piece === "any text") {
      [star, eaten] = [place, at];
      place += 1;
    } else if (piece?.(text[at] ?? "") === true) {
      at += 1;
      place += 1;
    } else if (star !== -1) {
      eaten += 1;
      [at, place] = [eaten, star + 1];
    } else return false;
  }
  return pieces.slice(place).every((piece) => piece === "any text");
}
