/** What a text may look like. */
export interface Pattern {
  test(text: string): boolean;
}

/** Texts are strangers', and a pattern must not be made to take for ever by one: it stays short. */
const mostCharacters = 100;

/**
 * `*` stands for any text, `?` for any character; case does not count, and the whole text has to match.
 * The time is at most the product of both lengths.
 */
export function globPattern(glob: string): Pattern {
  const wanted = glob.toLowerCase();
  return { test: (text) => matchesGlob(text.toLowerCase(), wanted) };
}

function matchesGlob(text: string, glob: string): boolean {
  let [at, place] = [0, 0];
  // where the last star stands, and how much of the text it has eaten
  let [star, eaten] = [-1, 0];
  while (at < text.length) {
    if (glob[place] === "*") {
      [star, eaten] = [place, at];
      place += 1;
    } else if (place < glob.length && (glob[place] === "?" || glob[place] === text[at])) {
      at += 1;
      place += 1;
    } else if (star !== -1) {
      eaten += 1;
      [at, place] = [eaten, star + 1];
    } else return false;
  }
  return /^\**$/.test(glob.slice(place));
}

/** A regular expression of JavaScript without regard to case, which may match anywhere. */
export function regularPattern(source: string): Pattern {
  return new RegExp(source, "iu");
}

/** @returns what is wrong with a regular expression; null: nothing */
export function judgePattern(source: string): string | null {
  if (source.length > mostCharacters) return `the pattern is longer than ${mostCharacters} characters`;
  // such as (a+)+, which a text of 40 characters keeps busy for hours; and more than a few stars
  if (/[*+}]\)*[?]?\)[*+{]/.test(source)) return "it repeats what repeats already";
  if ((source.match(/[*+}]/g) ?? []).length > 4) return "it repeats more than four things";
  try {
    return new RegExp(source, "iu").source === "" ? "it is empty" : null;
  } catch {
    return "it is no regular expression";
  }
}
