import { filterError, type Span } from "./filter-error.ts";

export const operators = ["==", "!=", "<=", ">=", "=~", "<", ">"] as const;
export type Operator = (typeof operators)[number];

export type Token = Span &
  (
    | { readonly kind: "word"; readonly text: string }
    /** Between quotes: never a number or a pattern between slashes. */
    | { readonly kind: "string"; readonly text: string }
    /** Between slashes. */
    | { readonly kind: "pattern"; readonly text: string }
    | { readonly kind: "operator"; readonly operator: Operator }
    | { readonly kind: "&&" | "||" | "!" | "(" | ")" | "end" }
  );

/** Longer ones are no filter that a person typed. */
const mostCharacters = 1000;
const signs = ["&&", "||", "!", "(", ")"] as const;
/** Of bare words: names, versions, addresses, numbers with units, globs. */
const bare = /(?:\[[!^]|[\p{L}\p{N}_.:*?%°+\-[\]])+/uy;

/** Cuts an expression into its tokens; the last one is `end`. @throws BerryError `usage` */
export function tokenize(expression: string): readonly Token[] {
  if (expression.length > mostCharacters) {
    throw filterError(
      `${expression.slice(0, 40)}…`,
      { start: 40, end: 41 },
      `longer than ${mostCharacters} characters`,
      "ask for less at once",
    );
  }
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length;) {
    if (/\s/.test(expression[at] ?? "")) {
      at += 1;
      continue;
    }
    const token = readToken(expression, at);
    tokens.push(token);
    at = token.end;
  }
  return [...tokens, { kind: "end", start: expression.length, end: expression.length }];
}

function readToken(expression: string, start: number): Token {
  const rest = expression.slice(start);
  const operator = operators.find((each) => rest.startsWith(each));
  if (operator !== undefined) return { kind: "operator", operator, start, end: start + operator.length };
  const sign = signs.find((each) => rest.startsWith(each));
  if (sign !== undefined) return { kind: sign, start, end: start + sign.length };
  const [first = ""] = rest;
  if (first === '"' || first === "'") return readQuoted(expression, start, first, "string");
  if (first === "/") return readQuoted(expression, start, first, "pattern");
  bare.lastIndex = start;
  const word = bare.exec(expression)?.[0];
  if (word !== undefined) return { kind: "word", text: word, start, end: start + word.length };
  const meant: Readonly<Record<string, string>> = { "=": "==", "&": "&&", "|": "||", "~": "=~", ",": "||" };
  const span = { start, end: start + String.fromCodePoint(rest.codePointAt(0) ?? 0).length };
  const instead = meant[first];
  throw filterError(
    expression,
    span,
    `'${first}' means nothing here`,
    instead === undefined ? "put text that is no plain word between quotes" : `did you mean ${instead}?`,
  );
}

/** A backslash keeps the quote, and itself; in a pattern it stays for the regular expression. */
function readQuoted(expression: string, start: number, quote: string, kind: "string" | "pattern"): Token {
  let text = "";
  for (let at = start + 1; at < expression.length; at += 1) {
    const character = expression[at] ?? "";
    const next = expression[at + 1];
    if (character === quote) return { kind, text, start, end: at + 1 };
    if (character === "\\" && next !== undefined && (next === quote || next === "\\")) {
      text += next === quote ? quote : kind === "pattern" ? "\\\\" : "\\";
      at += 1;
    } else text += character;
  }
  const what = kind === "string" ? "text" : "pattern";
  throw filterError(
    expression,
    { start, end: expression.length },
    `the ${what} has no end`,
    `close it with ${quote}`,
  );
}
