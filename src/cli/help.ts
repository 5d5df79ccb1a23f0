import type { Arguments, Command, Group, Verb } from "./verb.ts";
import { aliasesOf, globalArguments } from "./arguments.ts";
import { createStyle, type Style } from "./style.ts";

type Row = readonly [term: string, explanation: string];

/** What `--help` prints: what the command does, how it is typed, its parts, and examples that work. */
export function renderHelp(command: Command, path: string, color: boolean): string {
  const style = createStyle(color);
  const paragraphs = [
    `${command.description.charAt(0).toUpperCase()}${command.description.slice(1)}.\n`,
    ...(command.kind === "group"
      ? groupParagraphs(command, path, style)
      : verbParagraphs(command, path, style)),
    list("Flags of every command", flagRows(globalArguments), style),
    `${style.bold("Examples")}\n${command.examples.map((example) => `  ${example}\n`).join("")}`,
  ];
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n");
}

function usage(lines: readonly string[], style: Style): string {
  return `${style.bold("Usage")}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function list(title: string, rows: readonly Row[], style: Style): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([term]) => Bun.stringWidth(term)));
  const lines = rows.map(([term, explanation]) => {
    return `  ${style.cyan(term)}${" ".repeat(width - Bun.stringWidth(term))}  ${explanation}\n`;
  });
  return `${style.bold(title)}\n${lines.join("")}`;
}

function groupParagraphs(group: Group, path: string, style: Style): readonly string[] {
  const rows = Object.entries(group.commands)
    .filter(([, entry]) => entry.hidden !== true)
    .map(([name, entry]): Row => [name, entry.description]);
  const lines = [`${path} COMMAND …`];
  const notes = [`${path} COMMAND --help tells more of each.\n`];
  if (group.defaultVerb !== null) {
    lines.push(`${path} …`);
    notes.push(`Without a COMMAND, ${group.defaultVerb} is meant.\n`);
  }
  return [usage(lines, style), list("Commands", rows, style), notes.join("")];
}

function verbParagraphs(verb: Verb, path: string, style: Style): readonly string[] {
  const positionals = Object.entries(verb.args).filter(([, definition]) => definition.type === "positional");
  const words = positionals.map(([name, definition]) => {
    const term = name.toUpperCase();
    return definition.required === false || definition.default !== undefined ? `[${term}]` : term;
  });
  const rows = positionals.map(([name, definition]): Row => [
    name.toUpperCase(),
    definition.description ?? "",
  ]);
  if (verb.rest !== null) {
    words.push((verb.rest.atLeast ?? 0) > 0 ? `${verb.rest.name}…` : `[${verb.rest.name}…]`);
    rows.push([verb.rest.name, verb.rest.description]);
  }
  const line = [path, ...words, "[FLAG…]"].join(" ");
  return [usage([line], style), list("Arguments", rows, style), list("Flags", flagRows(verb.args), style)];
}

function flagRows(args: Arguments): readonly Row[] {
  return Object.entries(args).flatMap(([name, definition]): readonly Row[] => {
    if (definition.type === "positional") return [];
    const letter = aliasesOf(definition).find((alias) => alias.length === 1);
    const short = letter === undefined ? "    " : `-${letter}, `;
    const explanation = definition.description ?? "";
    if (definition.type === "boolean") {
      if (definition.default !== true) return [[`${short}--${name}`, explanation]];
      return [[`    --no-${name}`, definition.negativeDescription ?? explanation]];
    }
    const value = definition.valueHint ?? name.toUpperCase();
    const facts = [
      ...(definition.type === "enum" ? [`one of ${(definition.options ?? []).join(", ")}`] : []),
      ...(definition.default === undefined ? [] : [`default: ${definition.default}`]),
      ...(definition.required === true ? ["required"] : []),
    ];
    const suffix = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    return [[`${short}--${name} ${value}`, `${explanation}${suffix}`]];
  });
}
