import { aliasesOf } from "./arguments.ts";
import type { Arguments, Verb } from "./verb.ts";

/** A flag as help and the manual show it. */
export interface FlagDescription {
  /** With its dash; null: it has none. */
  readonly letter: string | null;
  /** With its dashes. */
  readonly name: string;
  /** What its value is called; null: it takes none. */
  readonly value: string | null;
  readonly explanation: string;
}

export function describeFlags(args: Arguments): readonly FlagDescription[] {
  return Object.entries(args).flatMap(([name, definition]): readonly FlagDescription[] => {
    if (definition.type === "positional") return [];
    const alias = aliasesOf(definition).find((one) => one.length === 1);
    const letter = alias === undefined ? null : `-${alias}`;
    const explanation = definition.description ?? "";
    if (definition.type === "boolean") {
      if (definition.default !== true) return [{ letter, name: `--${name}`, value: null, explanation }];
      const negative = definition.negativeDescription ?? explanation;
      return [{ letter: null, name: `--no-${name}`, value: null, explanation: negative }];
    }
    const facts = [
      ...(definition.type === "enum" ? [`one of ${(definition.options ?? []).join(", ")}`] : []),
      ...(definition.default === undefined ? [] : [`default: ${definition.default}`]),
      ...(definition.required === true ? ["required"] : []),
    ];
    const suffix = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    const value = definition.valueHint ?? name.toUpperCase();
    return [{ letter, name: `--${name}`, value, explanation: `${explanation}${suffix}` }];
  });
}

/** What a verb takes besides flags: how usage writes it, and what it is. */
export interface WordDescription {
  /** Such as `[NODE…]`. */
  readonly usage: string;
  /** Such as `NODE`. */
  readonly name: string;
  readonly explanation: string;
}

export function describeWords({ args, rest }: Verb): readonly WordDescription[] {
  const named = Object.entries(args).flatMap(([key, definition]): readonly WordDescription[] => {
    if (definition.type !== "positional") return [];
    const name = key.toUpperCase();
    const isOptional = definition.required === false || definition.default !== undefined;
    return [{ name, usage: isOptional ? `[${name}]` : name, explanation: definition.description ?? "" }];
  });
  if (rest === null) return named;
  const { name, description: explanation, atLeast = 0 } = rest;
  return [...named, { name, usage: atLeast > 0 ? `${name}…` : `[${name}…]`, explanation }];
}

export function sentence(description: string): string {
  return `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
}
