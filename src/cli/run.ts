import type { Command, Entry, Group } from "./verb.ts";
import { isFlag, isGlobalFlag, parseArguments, readGlobalFlags, unknownFlag } from "./arguments.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Failure, toFailure } from "./failure.ts";
import { renderHelp } from "./help.ts";
import type { Output } from "./output.ts";
import { createScreen } from "./screen.ts";
import { createStyle, type Style } from "./style.ts";
import { formatVersion, type Version } from "./version.ts";
import { BerryError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { printable } from "../core/printable.ts";
import type { Log } from "../core/ports.ts";

/** What the process around a command line provides. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly version: Version;
  /** @param print writes a line to stderr @param style sets words off */
  readonly createLog: (print: (line: string) => void, style: Style) => Log;
  readonly signal: AbortSignal;
}

/**
 * Runs what was typed after the root command's name.
 * @returns the exit code; nothing is thrown
 */
export async function runCommandLine(
  root: Group,
  name: string,
  words: readonly string[],
  { stdout, stderr, version, createLog, signal }: Surroundings,
): Promise<number> {
  const flags = readGlobalFlags(words);
  const screen = createScreen(stderr);
  let tellsFailuresOn = stdout;
  try {
    const found = await resolve(root, [name], words, flags.help);
    const path = found.path.join(" ");
    if (found.command.kind === "verb" && found.command.failures === "stderr") tellsFailuresOn = stderr;
    if (flags.version) {
      stdout.write(flags.json ? `${JSON.stringify(version)}\n` : `${formatVersion(version)}\n`);
    } else if (flags.help || found.command.kind === "group") {
      stdout.write(renderHelp(found.command, path, stdout.color));
    } else {
      const { args, rest } = parseArguments(found.words, found.command, path);
      const log = createLog((line) => screen.print(line), createStyle(stderr.color));
      const { json, verbose } = flags;
      await found.command.run({ args, rest, json, verbose, stdout, screen, log, signal, root });
    }
    return 0;
  } catch (thrown) {
    const failure = toFailure(thrown, signal);
    screen.redraw([]);
    if (flags.json) tellsFailuresOn.write(`${JSON.stringify(toEvent(failure))}\n`);
    else for (const line of renderFailure(failure, stderr.color)) screen.print(line);
    if (flags.verbose && failure.trace !== null) screen.print(failure.trace);
    return exitCodes[failure.kind].code;
  }
}

interface Resolved {
  readonly command: Command;
  /** What was named to get there, the root's name first. */
  readonly path: readonly string[];
  /** What is left for the command to parse. */
  readonly words: readonly string[];
}

/** Follows the words down to a verb; to a group where none is named, or help is asked of it. */
async function resolve(
  group: Group,
  path: readonly string[],
  words: readonly string[],
  wantsHelp: boolean,
): Promise<Resolved> {
  const here = path.join(" ");
  const end = words.indexOf("--");
  const index = words.findIndex((word, place) => !isFlag(word) && (end === -1 || place < end));
  const flags = words.slice(0, index === -1 ? (end === -1 ? words.length : end) : index);
  const strange = flags.find((flag) => !isGlobalFlag(flag));
  const word = words[index];
  const entry = word === undefined || strange !== undefined ? undefined : ownEntry(group, word);
  if (word !== undefined && entry !== undefined) {
    const command = await entry.load();
    const below = { path: [...path, word], words: [...words.slice(0, index), ...words.slice(index + 1)] };
    return command.kind === "verb"
      ? { command, ...below }
      : resolve(command, below.path, below.words, wantsHelp);
  }
  const names = Object.keys(group.commands).filter((name) => group.commands[name]?.hidden !== true);
  const match = word === undefined || strange !== undefined ? undefined : nearest(word, names);
  const preset = group.defaultVerb;
  const presetEntry = preset === null ? undefined : ownEntry(group, preset);
  if (word !== undefined && strange === undefined && (match !== undefined || presetEntry === undefined)) {
    throw unknownCommand(word, here, match, (await takesNodes(presetEntry)) ? preset : null);
  }
  if (preset !== null && presetEntry !== undefined && (word !== undefined || !wantsHelp)) {
    return { command: await presetEntry.load(), path: [...path, preset], words };
  }
  if (strange !== undefined) throw unknownFlag(strange, {}, here);
  return { command: group, path, words };
}

function ownEntry(group: Group, name: string) {
  return Object.hasOwn(group.commands, name) ? group.commands[name] : undefined;
}

/** Whether what is no command may be the name of a node. */
async function takesNodes(entry: Entry | undefined): Promise<boolean> {
  const command = await entry?.load();
  return command?.kind === "verb" && command.rest?.name.includes("NODE") === true;
}

/** @param preset the verb that takes nodes where none is named; null: there is none */
function unknownCommand(
  word: string,
  here: string,
  match: string | undefined,
  preset: string | null,
): BerryError {
  const meant = match === undefined ? `${here} --help lists the commands` : `did you mean ${here} ${match}?`;
  const otherwise = preset === null ? "" : ` A node of this name: ${here} ${preset} ${word}`;
  return new BerryError("usage", `unknown command '${word}' of ${here}`, { hint: `${meant}${otherwise}` });
}

function renderFailure(failure: Failure, color: boolean): readonly string[] {
  const style = createStyle(color);
  // what was typed, or stands in a file, must not command the terminal
  const lines = [`${style.red("error:")} ${harmless(failure.message)}`];
  if (failure.hint !== null) lines.push(`${style.cyan("hint:")} ${harmless(failure.hint)}`);
  return lines;
}

function harmless(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function toEvent({ kind, message, hint }: Failure) {
  return { event: "failed", kind, message, hint };
}
