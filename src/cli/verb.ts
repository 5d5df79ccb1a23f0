import type { ArgsDef, BooleanArgDef, EnumArgDef, PositionalArgDef, StringArgDef } from "citty";
import type { Log } from "../core/ports.ts";
import type { Output } from "./output.ts";
import type { Screen } from "./screen.ts";

/**
 * How a role declares what can be typed: verbs, which do something, and groups of verbs.
 * `run.ts` dispatches, `help.ts` describes, `arguments.ts` parses with citty and refuses what citty lets pass.
 */
export type Command = Verb | Group;

/** The flags and positionals of a verb, in citty's notation, keyed by the kebab-case name that is typed. */
export type Arguments = ArgsDef;

type ValueOf<Definition> = Definition extends BooleanArgDef & { type: "boolean" }
  ? boolean
  : Definition extends EnumArgDef & { options: readonly (infer Option)[] }
    ? Maybe<Definition, Option>
    : Definition extends StringArgDef | PositionalArgDef
      ? Maybe<Definition, string>
      : never;

type Maybe<Definition, Value> = Definition extends { default: string } | { required: true }
  ? Value
  : Definition extends { type: "positional"; required: false }
    ? Value | undefined
    : Definition extends { type: "positional" }
      ? Value
      : Value | undefined;

/** What was typed: a boolean is never undefined; the rest is where it is optional and has no default. */
export type Typed<A extends Arguments> = { readonly [Name in keyof A]: ValueOf<A[Name]> };

export type ParsedValues = Readonly<Record<string, string | boolean | undefined>>;

/** What a verb is run with; `Args` are its own arguments. */
export interface VerbContext<Args = ParsedValues> {
  readonly args: Args;
  /** The positionals after the named ones, such as NODE…; empty unless the verb declares `rest`. */
  readonly rest: readonly string[];
  /** `--json`: the result is JSON on stdout. */
  readonly json: boolean;
  readonly verbose: boolean;
  /** Results, and nothing else. */
  readonly stdout: Output;
  /** stderr: lines that stay, below them lines that are redrawn. */
  readonly screen: Screen;
  /** stderr, through the screen. */
  readonly log: Log;
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** All commands, for those that describe them. */
  readonly root: Group;
}

export interface Verb {
  readonly kind: "verb";
  /** One sentence without a full stop. */
  readonly description: string;
  /** Command lines that work; the first one is the best. */
  readonly examples: readonly [string, ...string[]];
  readonly args: Arguments;
  readonly rest: Rest | null;
  /** Where --json tells a failure: among the events of stdout, or on stderr, where stdout is one document. */
  readonly failures: "stdout" | "stderr";
  readonly run: (context: VerbContext) => Promise<void> | void;
}

/** What comes after the named positionals. */
export interface Rest {
  /** As usage shows it, such as `NODE`. */
  readonly name: string;
  readonly description: string;
  /** At least so many; 0 by default. */
  readonly atLeast?: number;
}

export interface VerbDefinition<A extends Arguments> {
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
  readonly args?: A;
  readonly rest?: Rest;
  /** Default: stdout. */
  readonly failures?: "stdout" | "stderr";
  /** Failures are thrown: a BerryError says which exit code. */
  run(context: VerbContext<Typed<A>>): Promise<void> | void;
}

/** Declares a verb; `run` sees its own arguments, typed. */
export function defineVerb<const A extends Arguments = Record<string, never>>(
  definition: VerbDefinition<A>,
): Verb {
  return {
    kind: "verb",
    description: definition.description,
    examples: definition.examples,
    args: definition.args ?? {},
    rest: definition.rest ?? null,
    failures: definition.failures ?? "stdout",
    // Checked boundary: `arguments.ts` has parsed what is passed here by these very `args`.
    run: (context) => definition.run(context as VerbContext<Typed<A>>),
  };
}

export interface Entry {
  /** As the group's help shows it, without loading the command; the command's own description. */
  readonly description: string;
  /** For berry's own use: it works, and help does not list it. */
  readonly hidden?: boolean;
  load(): Promise<Command>;
}

export interface Group {
  readonly kind: "group";
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
  readonly commands: Readonly<Record<string, Entry>>;
  /** The verb that is meant where none is named; null: help is printed. */
  readonly defaultVerb: string | null;
}

export interface GroupDefinition {
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
  readonly commands: Readonly<Record<string, Entry>>;
  readonly defaultVerb?: string;
}

/** Declares a group; its commands are loaded when they are called, so that help stays quick. */
export function defineGroup(definition: GroupDefinition): Group {
  return {
    kind: "group",
    description: definition.description,
    examples: definition.examples,
    commands: definition.commands,
    defaultVerb: definition.defaultVerb ?? null,
  };
}
