import { globalArguments } from "./arguments.ts";
import { describeFlags, describeWords, sentence } from "./describe.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Arguments, Command, Group, Verb } from "./verb.ts";

/** One page of the manual. */
export interface Page {
  /** As man(1) is asked for it: `berry-imager`. */
  readonly name: string;
  /** In man(7)'s notation. */
  readonly text: string;
}

export interface PageFacts {
  readonly version: string;
  /** ISO 8601. */
  readonly date: string;
}

/** The manual of a command tree: a page for the root with its verbs, and one for each group below it. */
export async function renderManual(root: Group, name: string, facts: PageFacts): Promise<readonly Page[]> {
  const children = await loadAll(root);
  const groups = children.filter(
    (child): child is Child & { command: Group } => child.command.kind === "group",
  );
  const pages = await Promise.all(
    groups.map(async (child) => {
      const page = `${name}-${child.name}`;
      return {
        name: page,
        text: renderPage(page, `${name} ${child.name}`, child.command, await loadAll(child.command), facts),
      };
    }),
  );
  const seeAlso = groups.map((child) => `${name}-${child.name}`);
  return [{ name, text: renderPage(name, name, root, children, facts, seeAlso) }, ...pages];
}

interface Child {
  readonly name: string;
  readonly command: Command;
}

async function loadAll(group: Group): Promise<readonly Child[]> {
  const shown = Object.entries(group.commands).filter(([, { hidden }]) => hidden !== true);
  return Promise.all(shown.map(async ([name, entry]) => ({ name, command: await entry.load() })));
}

function renderPage(
  page: string,
  path: string,
  group: Group,
  children: readonly Child[],
  { version, date }: PageFacts,
  seeAlso: readonly string[] = ["berry"],
): string {
  const verbs = children.filter((child): child is Child & { command: Verb } => child.command.kind === "verb");
  const groups = children.filter(({ command }) => command.kind === "group");
  return [
    `.TH ${quoted(page.toUpperCase())} 1 ${quoted(date)} ${quoted(`berry ${version}`)} ${quoted("berry")}`,
    ".SH NAME",
    `${escaped(page)} \\- ${escaped(group.description)}`,
    ".SH SYNOPSIS",
    ...synopsis(`${path} COMMAND \\&…`),
    ...(group.defaultVerb === null ? [] : synopsis(`${path} \\&…`)),
    ".SH DESCRIPTION",
    escaped(sentence(group.description)),
    ...(group.defaultVerb === null ? [] : [".PP", `Without a command, ${bold(group.defaultVerb)} is meant.`]),
    ...(groups.length + verbs.length === 0 ? [] : [".SH COMMANDS"]),
    ...groups.flatMap(({ name, command }) => [
      ".TP",
      bold(`${path} ${name}`),
      `${escaped(command.description)}: see ${bold(`${page}-${name}`)}(1)`,
    ]),
    ...verbs.flatMap(({ name, command }) => verbLines(`${path} ${name}`, command)),
    ".SH OPTIONS OF EVERY COMMAND",
    ...flagLines(globalArguments),
    ".SH EXIT STATUS",
    ".TP",
    "0",
    "done",
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => [".TP", String(code), escaped(meaning)]),
    ".SH SEE ALSO",
    seeAlso.map((name) => `${bold(name)}(1)`).join(",\n"),
    "",
  ].join("\n");
}

function verbLines(path: string, verb: Verb): readonly string[] {
  const words = describeWords(verb);
  return [
    `.SS ${quoted([path, ...words.map(({ usage }) => usage)].join(" "))}`,
    escaped(sentence(verb.description)),
    ...words.flatMap(({ name, explanation }) => [".TP", italic(name), escaped(explanation)]),
    ...flagLines(verb.args),
    ...[".PP", "Examples:", ".PP", ".nf", ".RS 4", ...verb.examples.map(escaped), ".RE", ".fi"],
  ];
}

function flagLines(args: Arguments): readonly string[] {
  return describeFlags(args).flatMap(({ letter, name, value, explanation }) => [
    ".TP",
    `${letter === null ? "" : `${bold(letter)}, `}${bold(name)}${value === null ? "" : ` ${italic(value)}`}`,
    escaped(explanation),
  ]);
}

function synopsis(words: string): readonly string[] {
  return [`.B ${words.replaceAll("-", "\\-")}`, ".br"];
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fP`;
}

function italic(text: string): string {
  return `\\fI${escaped(text)}\\fP`;
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', "\\(dq")}"`;
}

/** Text that no line of is a request, and whose hyphens can be copied to a shell. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll(/^([.'])/gm, "\\&$1");
}
