import { parseArgs, type ArgDef } from "citty";
import type { Arguments, ParsedValues, Rest } from "./verb.ts";
import { BerryError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

/** The flags that every command knows. */
export const globalArguments = {
  json: { type: "boolean", description: "print the result, events and errors as JSON on stdout" },
  color: { type: "boolean", default: true, negativeDescription: "write no colours (NO_COLOR does the same)" },
  verbose: {
    type: "boolean",
    alias: "v",
    description: "tell more: the output of programs, traces of faults",
  },
  help: { type: "boolean", alias: "h", description: "print this help" },
  version: { type: "boolean", alias: "V", description: "print the version, the commit and the architecture" },
} as const satisfies Arguments;

export interface GlobalFlags {
  readonly json: boolean;
  readonly color: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export interface Parsed {
  /** A value per declared argument; false for a boolean that was not given. */
  readonly args: ParsedValues;
  readonly rest: readonly string[];
}

/** Words that start with a dash and are no mere dash: flags. */
export function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

/** The short letters and other names of a flag. */
export function aliasesOf(definition: ArgDef): readonly string[] {
  if (!("alias" in definition) || definition.alias === undefined) return [];
  return typeof definition.alias === "string" ? [definition.alias] : definition.alias;
}

function isNegatable(definition: ArgDef): boolean {
  return definition.type === "boolean" && definition.default === true;
}

/** Every spelling of every flag, `--no-color` included, with what it stands for. */
function spellings(known: Arguments): ReadonlyMap<string, { name: string; takesValue: boolean }> {
  const map = new Map<string, { name: string; takesValue: boolean }>();
  for (const [name, definition] of Object.entries(known)) {
    if (definition.type === "positional") continue;
    const meaning = { name, takesValue: definition.type !== "boolean" };
    map.set(`--${name}`, meaning);
    if (isNegatable(definition)) map.set(`--no-${name}`, meaning);
    for (const alias of aliasesOf(definition))
      map.set(alias.length === 1 ? `-${alias}` : `--${alias}`, meaning);
  }
  return map;
}

/** The global flags of a command line, read before anything is known of the rest of it. */
export function readGlobalFlags(words: readonly string[]): GlobalFlags {
  const end = words.indexOf("--");
  const given = new Set(end === -1 ? words : words.slice(0, end));
  return {
    json: given.has("--json"),
    color: !given.has("--no-color"),
    verbose: given.has("--verbose") || given.has("-v"),
    help: given.has("--help") || given.has("-h"),
    version: given.has("--version") || given.has("-V"),
  };
}

/** Whether the word is one of the flags that every command knows. */
export function isGlobalFlag(word: string): boolean {
  return spellings(globalArguments).has(word);
}

/** @returns the error that names the flag, the command and the right spelling */
export function unknownFlag(word: string, known: Arguments, command: string): BerryError {
  const flag = word.split("=", 1)[0] ?? word;
  const match = nearest(flag, [...spellings({ ...known, ...globalArguments }).keys()]);
  const hint = match === undefined ? `${command} --help lists the flags` : `did you mean ${match}?`;
  return new BerryError("usage", `unknown flag ${flag} of ${command}`, { hint });
}

/**
 * What was typed after the command's name, checked against what the command declares.
 * citty reads the values; what it would let pass is refused before: unknown flags, missing and superfluous values,
 * flags given twice, missing and superfluous positionals.
 * @throws BerryError `usage`
 */
export function parseArguments(
  words: readonly string[],
  declared: { readonly args: Arguments; readonly rest: Rest | null },
  command: string,
): Parsed {
  const known = { ...declared.args, ...globalArguments };
  checkPositionals(checkFlags(words, known, command), declared, command);
  const typed = parseArgs(expandGroups(words), withoutChecks(known));
  const args: Record<string, string | boolean | undefined> = {};
  for (const [name, definition] of Object.entries(declared.args)) {
    const value: unknown = typed[name];
    args[name] = typeof value === "string" || typeof value === "boolean" ? value : undefined;
    if (definition.type === "boolean") args[name] ??= false;
    else checkValue(name, definition, args[name], command);
  }
  const named = Object.values(declared.args).filter((definition) => definition.type === "positional").length;
  return { args, rest: typed._.slice(named) };
}

/** For citty: it would refuse missing and wrong values with words of its own. */
function withoutChecks(args: Arguments): Arguments {
  return Object.fromEntries(
    Object.entries(args).map(([name, definition]): [string, ArgDef] => {
      if (definition.type !== "enum") return [name, { ...definition, required: false }];
      const { options: _, ...rest } = definition;
      return [name, { ...rest, type: "string", required: false }];
    }),
  );
}

/** @returns the words that are no flags and no values of flags */
function checkFlags(words: readonly string[], known: Arguments, command: string): readonly string[] {
  const flags = spellings(known);
  const given = new Set<string>();
  const positionals: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") return [...positionals, ...words.slice(index + 1)];
    if (!isFlag(word)) {
      positionals.push(word);
      continue;
    }
    const group = shortGroup(word);
    for (const member of group) {
      if (flags.get(member)?.takesValue !== false)
        throw unknownFlag(group.length > 1 ? word : member, known, command);
    }
    if (group.length > 0) continue;
    const equals = word.indexOf("=");
    const spelling = equals === -1 ? word : word.slice(0, equals);
    const meaning = flags.get(spelling);
    if (meaning === undefined)
      throw isNegative(word) ? negativeValue(command, word, command) : unknownFlag(word, known, command);
    if (!meaning.takesValue) {
      if (equals !== -1) throw new BerryError("usage", `${spelling} takes no value, got ${word}`);
      continue;
    }
    if (given.has(meaning.name)) throw new BerryError("usage", `${spelling} was given twice`);
    given.add(meaning.name);
    const value = equals === -1 ? words[index + 1] : word.slice(equals + 1);
    if (equals === -1 && value !== undefined && isNegative(value))
      throw negativeValue(spelling, value, command);
    if (value === undefined || value === "" || (equals === -1 && isFlag(value))) {
      throw new BerryError("usage", `${spelling} needs a value`, { hint: `${command} --help says which` });
    }
    if (equals === -1) index += 1;
  }
  return positionals;
}

function isNegative(word: string): boolean {
  return /^-\d/.test(word);
}

function negativeValue(place: string, value: string, command: string): BerryError {
  return new BerryError("usage", `${place} takes nothing below 0, got ${value}`, {
    hint: `${command} --help says what it takes`,
  });
}

/** `-vh` as `-v`, `-h`; empty for anything else than a group of single letters. */
function shortGroup(word: string): readonly string[] {
  return /^-[A-Za-z]{2,}$/.test(word)
    ? word
        .slice(1)
        .split("")
        .map((letter) => `-${letter}`)
    : [];
}

function expandGroups(words: readonly string[]): string[] {
  const end = words.indexOf("--");
  return words.flatMap((word, index) => {
    const group = end !== -1 && index > end ? [] : shortGroup(word);
    return group.length > 0 ? group : [word];
  });
}

function checkPositionals(
  words: readonly string[],
  declared: { readonly args: Arguments; readonly rest: Rest | null },
  command: string,
): void {
  const named = Object.entries(declared.args).filter(([, definition]) => definition.type === "positional");
  const missing = named.find(([, { required, default: preset }], index) => {
    return index >= words.length && required !== false && preset === undefined;
  });
  const hint = `${command} --help shows what it takes`;
  if (missing !== undefined)
    throw new BerryError("usage", `${command} needs ${missing[0].toUpperCase()}`, { hint });
  const extra = words.slice(named.length);
  if (declared.rest === null && extra.length > 0) {
    throw new BerryError("usage", `${command} does not take ${extra.map((word) => `'${word}'`).join(" ")}`, {
      hint,
    });
  }
  if (declared.rest !== null && extra.length < (declared.rest.atLeast ?? 0)) {
    throw new BerryError("usage", `${command} needs ${declared.rest.name}`, { hint });
  }
}

function checkValue(
  name: string,
  definition: ArgDef,
  value: string | boolean | undefined,
  command: string,
): void {
  if (definition.type === "enum" && typeof value === "string") {
    const options = definition.options ?? [];
    if (options.includes(value)) return;
    const match = nearest(value, options);
    throw new BerryError("usage", `--${name} of ${command} is one of ${options.join(", ")}, got '${value}'`, {
      ...(match === undefined ? {} : { hint: `did you mean ${match}?` }),
    });
  }
  if (definition.type !== "positional" && definition.required === true && value === undefined) {
    throw new BerryError("usage", `${command} needs --${name}`, {
      hint: `${command} --help says what it is`,
    });
  }
}
