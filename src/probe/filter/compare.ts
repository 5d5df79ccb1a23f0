import type { Value } from "./fields.ts";
import type { Pattern } from "./pattern.ts";
import type { Operator } from "./tokens.ts";

/** What a field is compared with. */
export type Wanted = string | number | boolean | Pattern;

/** Texts of strangers meet the user's patterns: no more than this of them. */
const mostCharacters = 256;

/** @param value null: not known, which compares as false with everything */
export function compare(value: Value, operator: Operator, wanted: Wanted): boolean {
  if (value === null) return false;
  if (typeof value === "string") return compareText(value, operator, wanted);
  if (typeof value === "number") return typeof wanted === "number" && isOrdered(value - wanted, operator);
  if (typeof value === "boolean") return (operator === "!=") !== (value === wanted);
  // any of the words, and with != none of them
  return operator === "!="
    ? value.every((word) => compareText(word, operator, wanted))
    : value.some((word) => compareText(word, operator, wanted));
}

/** Case does not count, and digits count as numbers: 0.10 is more than 0.9. */
function compareText(text: string, operator: Operator, wanted: Wanted): boolean {
  if (typeof wanted === "object") return wanted.test(text.slice(0, mostCharacters));
  const order = text.localeCompare(String(wanted), "en", { numeric: true, sensitivity: "accent" });
  return isOrdered(order, operator);
}

function isOrdered(order: number, operator: Operator): boolean {
  switch (operator) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "=~":
      return false;
  }
}
