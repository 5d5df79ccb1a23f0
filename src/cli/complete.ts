import type { ArgDef } from "citty";
import { aliasesOf, globalArguments, isFlag, isGlobalFlag } from "./arguments.ts";
import type { Arguments, Command, Group, Verb } from "./verb.ts";

export interface Candidate {
  readonly value: string;
  /** What a shell may show beside it. */
  readonly description: string;
}

/** What the last word may become. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether the shell should offer files or folders, too. */
  readonly paths: "none" | "files" | "folders";
}

/** What is known at the moment of asking alone, by the word that help shows for it, such as `NODE`. */
export type Lists = Readonly<Record<string, (words: readonly string[]) => Promise<readonly Candidate[]>>>;

const nothing: Completion = { candidates: [], paths: "none" };

/**
 * What the last word may become, where those before it are finished.
 * @param words after the program's name; at least one, which may be empty
 * @param lists one that throws has nothing to say: nobody wants errors at the press of a key
 */
export async function complete(group: Group, words: readonly string[], lists: Lists): Promise<Completion> {
  const word = words.at(-1) ?? "";
  const finished = words.slice(0, -1);
  const index = finished.findIndex((one) => !isFlag(one));
  const flags = index === -1 ? finished : finished.slice(0, index);
  const name = finished[index];
  const isOwn = flags.every(isGlobalFlag);
  if (name === undefined || !isOwn) {
    const preset = await presetOf(group);
    const below = preset === null ? nothing : await completeVerb(preset, words, lists);
    if (!isOwn) return below;
    if (word.startsWith("-")) return preset === null ? fitting(flagsBesides({}, finished), word) : below;
    return join(fitting(commandsOf(group), word), below);
  }
  const command = await load(group, name);
  const rest = words.toSpliced(index, 1);
  if (command?.kind === "group") return complete(command, rest, lists);
  if (command?.kind === "verb") return completeVerb(command, rest, lists);
  const preset = await presetOf(group);
  return preset === null ? nothing : completeVerb(preset, words, lists);
}

function commandsOf(group: Group): readonly Candidate[] {
  return Object.entries(group.commands)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([value, { description }]) => ({ value, description }));
}

async function load(group: Group, name: string): Promise<Command | null> {
  return Object.hasOwn(group.commands, name) ? ((await group.commands[name]?.load()) ?? null) : null;
}

async function presetOf(group: Group): Promise<Verb | null> {
  const command = group.defaultVerb === null ? null : await load(group, group.defaultVerb);
  return command?.kind === "verb" ? command : null;
}

async function completeVerb(verb: Verb, words: readonly string[], lists: Lists): Promise<Completion> {
  const word = words.at(-1) ?? "";
  const finished = words.slice(0, -1);
  const { pending, positionals, isOver } = walk(finished, verb.args);
  if (pending !== null) return valuesOf(pending, word, finished, lists);
  const [flag = "", value] = word.split("=", 2);
  if (!isOver && flag.startsWith("--") && value !== undefined) {
    const definition = flagNamed(flag, verb.args);
    if (definition === undefined) return nothing;
    const { candidates, paths } = await valuesOf(definition, value, finished, lists);
    return {
      paths,
      candidates: candidates.map((each) => ({ ...each, value: `${flag}=${each.value}` })),
    };
  }
  if (!isOver && word.startsWith("-")) return fitting(flagsBesides(verb.args, finished), word);
  const named = Object.entries(verb.args).filter(([, { type }]) => type === "positional");
  const [name] = named[positionals] ?? [];
  if (name !== undefined) return listed(name.toUpperCase(), word, finished, lists);
  const parts = verb.rest?.name.split(" ") ?? [];
  const part = parts[(positionals - named.length) % parts.length];
  return part === undefined ? nothing : listed(part, word, finished, lists);
}

/** What the finished words leave open. */
function walk(finished: readonly string[], args: Arguments) {
  let pending: ArgDef | null = null;
  let positionals = 0;
  let isOver = false;
  for (const word of finished) {
    if (pending !== null) pending = null;
    else if (isOver || !isFlag(word)) positionals += 1;
    else if (word === "--") isOver = true;
    else pending = word.includes("=") ? null : (flagNamed(word, args) ?? null);
  }
  return { pending, positionals, isOver };
}

/** The flag of this spelling, where it takes a value. */
function flagNamed(word: string, args: Arguments): ArgDef | undefined {
  return Object.entries(args).find(
    ([name, definition]) =>
      definition.type !== "positional" &&
      definition.type !== "boolean" &&
      [`--${name}`, ...aliasesOf(definition).map((alias) => `-${alias}`)].includes(word),
  )?.[1];
}

function flagsBesides(args: Arguments, given: readonly string[]): readonly Candidate[] {
  return Object.entries({ ...args, ...globalArguments })
    .filter(([, definition]: [string, ArgDef]) => definition.type !== "positional")
    .map(([name, definition]: [string, ArgDef]) => {
      const isNegated = definition.type === "boolean" && definition.default === true;
      const description = (isNegated ? definition.negativeDescription : definition.description) ?? "";
      return { value: isNegated ? `--no-${name}` : `--${name}`, description };
    })
    .filter(({ value }) => !given.some((word) => word.split("=", 1)[0] === value));
}

async function valuesOf(
  definition: ArgDef,
  word: string,
  finished: readonly string[],
  lists: Lists,
): Promise<Completion> {
  if (definition.type !== "enum") return listed(definition.valueHint ?? "", word, finished, lists);
  return fitting(
    (definition.options ?? []).map((value) => ({ value, description: "" })),
    word,
  );
}

/** @param hint such as `NODE|FILE` */
async function listed(
  hint: string,
  word: string,
  finished: readonly string[],
  lists: Lists,
): Promise<Completion> {
  const names = hint.split("|");
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return (await lists[name]?.(finished)) ?? [];
      } catch {
        return [];
      }
    }),
  );
  const isPath = names.includes("FILE") || names.includes("PATH");
  const paths = isPath ? "files" : names.includes("FOLDER") ? "folders" : "none";
  return { candidates: fitting(found.flat(), word).candidates, paths };
}

function fitting(candidates: readonly Candidate[], word: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(word)), paths: "none" };
}

function join(one: Completion, other: Completion): Completion {
  return { candidates: [...one.candidates, ...other.candidates], paths: other.paths };
}
