/** What a text may look like. */
export interface Pattern {
  test(text: string): boolean;
}

/** Texts are strangers', and a pattern must not be made to take for ever by one: it stays short. */
const mostCharacters = 100;

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
