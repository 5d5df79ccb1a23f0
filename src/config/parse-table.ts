import type * as z from "zod";
import { nearest } from "../core/nearest.ts";
import { type Diagnosis, type Flaw, show } from "./problem.ts";

export type Shape = Readonly<Record<string, z.ZodType>>;

export type Values<S extends Shape> = { readonly [Key in keyof S]?: z.output<S[Key]> };

/** A table after validation, key by key: what is wrong with one key hides nothing that is wrong with another. */
export interface Table<S extends Shape> {
  /** The values of the keys that are there and right. */
  readonly values: Values<S>;
  /** Whether the key is there, but wrong: what follows from its absence is not worth saying. */
  failed(key: keyof S): boolean;
}

/** What to say of a key that is none, and the key that it was meant to be. */
export interface Misplaced extends Flaw {
  readonly meant?: string;
}

export function isTable(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
}

/**
 * Validates the table at `path` against `shape`. Everything found wrong goes to `diagnosis`.
 * `otherKeys` are handled by the caller; `misplaced` are keys that deserve a message of their own.
 */
export function parseTable<S extends Shape>(
  shape: S,
  raw: unknown,
  path: string,
  diagnosis: Diagnosis,
  extra: {
    readonly otherKeys?: readonly string[];
    readonly misplaced?: Readonly<Record<string, Misplaced>> | undefined;
  } = {},
): Table<S> {
  if (!isTable(raw)) {
    diagnosis.add(path, { problem: "must be a table", remedy: howToWrite(path) }, raw);
    return { values: {}, failed: () => true };
  }
  const failures = new Set<PropertyKey>();
  const values: Record<string, unknown> = {};
  const otherKeys = extra.otherKeys ?? [];
  for (const [key, value] of Object.entries(raw)) {
    const at = path === "" ? key : `${path}.${key}`;
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) {
      if (otherKeys.includes(key)) continue;
      const meant = reportStranger(
        key,
        at,
        [...Object.keys(shape), ...otherKeys],
        extra.misplaced,
        diagnosis,
      );
      if (meant !== undefined) failures.add(meant);
      continue;
    }
    const result = schema.safeParse(value);
    if (result.success) values[key] = result.data;
    else {
      failures.add(key);
      for (const issue of result.error.issues) {
        // a value may stand for a list of one, and has no places inside then
        const steps = Array.isArray(value) ? issue.path : [];
        const inner = steps.reduce<string>((place, step) => `${place}[#${Number(step) + 1}]`, at);
        diagnosis.add(inner, flawOf(issue), steps.reduce(descend, value));
      }
    }
  }
  return { values: values as Values<S>, failed: (key) => failures.has(key) };
}

function howToWrite(path: string): string {
  if (!path.includes("[")) return `write [${path}] and its keys below it`;
  return path.includes(".")
    ? "write its keys between { and }"
    : `write [[${path.slice(0, path.indexOf("["))}]] and its keys below it`;
}

/** Returns the key that was probably meant, which is not missing then. */
function reportStranger(
  key: string,
  at: string,
  known: readonly string[],
  misplaced: Readonly<Record<string, Misplaced>> | undefined,
  diagnosis: Diagnosis,
): string | undefined {
  const special = misplaced !== undefined && Object.hasOwn(misplaced, key) ? misplaced[key] : undefined;
  const meant = special === undefined ? nearest(key, known) : special.meant;
  const remedy = meant === undefined ? `known keys are ${known.join(", ")}` : `did you mean ${meant}?`;
  diagnosis.add(at, special ?? { problem: "unknown key", found: null, remedy }, undefined);
  return meant;
}

/** The value behind one key of a table, or one place of a list; undefined: there is none. */
export function descend(value: unknown, step: PropertyKey): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<PropertyKey, unknown>)[step]
    : undefined;
}

const typeNames: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  string: ["must be a string", "write it between quotes"],
  boolean: ["must be true or false", "write true or false, without quotes"],
  array: ["must be a list", "write it between square brackets"],
  number: ["must be a number", "write it without quotes"],
  int: ["must be a whole number", "write it without a fraction"],
};

function flawOf(issue: z.core.$ZodIssue): Flaw {
  switch (issue.code) {
    case "custom":
      // put there by `tables.ts`, which is the only one to make custom issues
      return issue.params?.["flaw"] as Flaw;
    case "invalid_type": {
      if ("received" in issue && (issue.received === "NaN" || issue.received === "Infinity"))
        return {
          problem: "not a number",
          found: issue.received === "NaN" ? "nan" : "inf",
          remedy: "write a number",
        };
      const [problem, remedy] = typeNames[issue.expected] ?? [`must be ${issue.expected}`, "change its type"];
      return { problem, remedy };
    }
    case "invalid_value":
      return { problem: "not one of the choices", remedy: `use ${issue.values.map(show).join(" or ")}` };
    case "too_small":
      return { problem: "too small", remedy: `use ${issue.minimum} or more` };
    case "too_big":
      return { problem: "too big", remedy: `use ${issue.maximum} or less` };
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
      return { problem: issue.message, remedy: "see the documentation of berry.toml" };
  }
}
