import { nearest } from "../../core/nearest.ts";
import type { Row } from "../row.ts";
import { compare, type Wanted } from "./compare.ts";
import { type Field, type FieldName, fields, isFieldName, valueOf } from "./fields.ts";
import { filterError, type Span } from "./filter-error.ts";
import { globPattern } from "./glob.ts";
import { judgePattern, regularPattern } from "./pattern.ts";
import { type Operator, operators, type Token, tokenize } from "./tokens.ts";

/** Whether a row is asked for. What is not known of a row is neither more nor less nor equal nor different. */
export type Filter = (row: Row) => boolean;

/**
 * Reads an expression such as `temp>70 && (role==server || !known)`: comparisons, `!` before `&&` before `||`.
 * @throws BerryError `usage` with the place that is wrong
 */
export function parseFilter(expression: string): Filter {
  const tokens = tokenize(expression);
  let at = 0;
  // there is always an end
  const peek = (): Token => tokens[at] ?? { kind: "end", start: expression.length, end: expression.length };
  const fail = (span: Span, problem: string, hint: string) => filterError(expression, span, problem, hint);
  const take = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };

  const either = (): Filter => {
    const sides = [both()];
    while (peek().kind === "||") {
      at += 1;
      sides.push(both());
    }
    return (row) => sides.some((side) => side(row));
  };
  const both = (): Filter => {
    const sides = [one()];
    while (peek().kind === "&&") {
      at += 1;
      sides.push(one());
    }
    return (row) => sides.every((side) => side(row));
  };
  const one = (): Filter => {
    const token = take();
    if (token.kind === "!") {
      const negated = one();
      return (row) => !negated(row);
    }
    if (token.kind === "(") {
      const inner = either();
      const close = take();
      if (close.kind !== ")") throw fail(close, "a bracket is still open", "close it with )");
      return inner;
    }
    if (token.kind === "word") return comparison(token.text, token);
    throw fail(token, token.kind === "end" ? "something is missing" : "a field belongs here", fieldsHint);
  };
  const comparison = (name: string, span: Span): Filter => {
    if (!isFieldName(name)) {
      const match = nearest(name, Object.keys(fields));
      const hint = match === undefined ? fieldsHint : `did you mean ${match}?`;
      throw fail(span, `there is no field '${name}'`, hint);
    }
    const token = peek();
    if (token.kind !== "operator") return bareField(name, span);
    at += 1;
    const wanted = wantedOf(name, token.operator, token, take());
    return (row) => compare(valueOf(row, name), token.operator, wanted);
  };
  const bareField = (name: FieldName, span: Span): Filter => {
    const { kind } = fields[name];
    if (kind === "flag" || name === "throttled")
      return (row) => {
        const value = valueOf(row, name);
        return Array.isArray(value) ? value.length > 0 : value === true;
      };
    const after = { start: span.end, end: span.end + 1 };
    throw fail(
      after,
      `${name} has to be compared`,
      `use one of ${operators.join(" ")}, as in ${examples[kind](name)}`,
    );
  };
  const wantedOf = (name: FieldName, operator: Operator, span: Span, value: Token): Wanted => {
    if (value.kind !== "word" && value.kind !== "string" && value.kind !== "pattern")
      throw fail(value, `${name} is compared with nothing`, `put a value behind ${operator}`);
    const field = fields[name];
    if (value.kind === "pattern" && operator !== "=~")
      throw fail(value, "a pattern is no value", `did you mean ${name}=~/${value.text}/?`);
    if (operator === "=~") {
      if (field.kind === "number" || field.kind === "flag")
        throw fail(span, `${name} is no text`, "compare it with == or !=");
      const flaw = value.kind === "pattern" ? judgePattern(value.text) : null;
      if (flaw !== null)
        throw fail(value, flaw, "a * stands for any text without a pattern, as in name=~pi*");
      if (value.kind === "pattern") return regularPattern(value.text);
      if (!/[*?[]/.test(value.text)) checkValue(name, field, value);
      const glob = globPattern(value.text);
      if (glob === null)
        throw fail(value, "a bracket of the pattern is not closed", "as in name=~pi[1-4], or name=~/[[]/");
      return glob;
    }
    if (field.kind === "number") return numberOf(name, field, value);
    if (field.kind === "flag") return flagOf(name, operator, span, value);
    if (field.kind !== "version" && operator !== "==" && operator !== "!=")
      throw fail(span, `${name} is neither more nor less`, `use == or !=`);
    checkValue(name, field, value);
    return value.text;
  };
  const checkValue = (name: FieldName, { values }: Field, value: Token & { readonly text: string }): void => {
    if (values === undefined || values.includes(value.text.toLowerCase())) return;
    const match = nearest(value.text, values);
    const hint = match === undefined ? `it is one of ${values.join(", ")}` : `did you mean ${match}?`;
    throw fail(value, `${name} is never '${value.text}'`, hint);
  };
  const numberOf = (name: FieldName, field: Field, value: Token & { readonly text: string }): number => {
    const { units } = field;
    const sum = field.isSum === true ? sumOf(value.text, units) : null;
    if (sum !== null) return sum;
    const parts = /^([+-]?(?:\d+\.?\d*|\.\d+))(.*)$/su.exec(value.text);
    if (parts === null) throw fail(value, `${name} is a number`, `as in ${examples.number(name)}`);
    const unit = parts[2] ?? "";
    const factor = unit === "" ? 1 : Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (factor === undefined) {
      const known = Object.keys(units);
      const hint = known.length === 0 ? "leave the unit away" : `use ${known.join(", ")} or none`;
      throw fail({ start: value.end - unit.length, end: value.end }, `${name} has no unit '${unit}'`, hint);
    }
    return Number(parts[1]) * factor;
  };
  const flagOf = (
    name: FieldName,
    operator: Operator,
    span: Span,
    value: Token & { readonly text: string },
  ): boolean => {
    if (operator !== "==" && operator !== "!=")
      throw fail(span, `${name} is yes or no`, `use ${name} or !${name}`);
    const text = value.text.toLowerCase();
    if (["true", "yes", "1"].includes(text)) return true;
    if (["false", "no", "0"].includes(text)) return false;
    throw fail(value, `${name} is yes or no`, `use ${name} or !${name}`);
  };

  const filter = either();
  const rest = peek();
  if (rest.kind === ")") throw fail(rest, "no bracket is open", "leave it away");
  if (rest.kind !== "end")
    throw fail(
      rest,
      "two comparisons with nothing between",
      "put && or || between them, or quotes around text of several words",
    );
  return filter;
}

/** Of parts that each have a unit, the greatest first: `2h30min`; null for anything else. */
function sumOf(text: string, units: Field["units"]): number | null {
  const parts = [...text.matchAll(/\s*(\d+\.?\d*|\.\d+)\s*([a-z]+)\s*/gy)];
  const isWhole = parts.map(([part]) => part).join("") === text;
  const factors = parts.map(([, , unit = ""]) => (Object.hasOwn(units, unit) ? units[unit] : undefined));
  let sum = 0;
  let last = Infinity;
  for (const [index, factor] of factors.entries()) {
    if (factor === undefined || factor >= last) return null;
    last = factor;
    sum += Number(parts[index]?.[1]) * factor;
  }
  return isWhole && parts.length > 0 ? sum : null;
}

const fieldsHint = `fields are ${Object.keys(fields).join(", ")}`;

const examples: Readonly<Record<Field["kind"], (name: string) => string>> = {
  text: (name) =>
    name === "name" ? "name=~pi*" : name === "health" ? "health==critical" : `${name}==server`,
  version: (name) => `${name}<0.10`,
  number: (name) => (name === "uptime" ? "uptime<2h" : `${name}>70`),
  flag: (name) => name,
  words: (name) => (name === "address" ? "address=~192.168.*" : `${name}==under-voltage`),
};
