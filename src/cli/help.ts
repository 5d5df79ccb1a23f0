import type { Arguments, Command, Group, Verb } from "./verb.ts";
import { globalArguments } from "./arguments.ts";
import { describeFlags, describeWords, sentence } from "./describe.ts";
import { createStyle, type Style } from "./style.ts";

type Row = readonly [term: string, explanation: string];

/** What `--help` prints: what the command does, how it is typed, its parts, and examples that work. */
export function renderHelp(command: Command, path: string, color: boolean): string {
  const style = createStyle(color);
  const paragraphs = [
    `${sentence(command.description)}\n`,
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
  const words = describeWords(verb);
  const line = [path, ...words.map((word) => word.usage), "[FLAG…]"].join(" ");
  const rows = words.map(({ name, explanation }): Row => [name, explanation]);
  return [usage([line], style), list("Arguments", rows, style), list("Flags", flagRows(verb.args), style)];
}

function flagRows(args: Arguments): readonly Row[] {
  return describeFlags(args).map(({ letter, name, value, explanation }) => {
    const short = letter === null ? "    " : `${letter}, `;
    return [`${short}${name}${value === null ? "" : ` ${value}`}`, explanation];
  });
}
