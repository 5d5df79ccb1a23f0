import { readFile } from "node:fs/promises";
import { BerryError } from "../../core/errors.ts";
import type { CommandOptions, CommandResult } from "../../core/ports.ts";
import type { Chroot, PasswordLine, Run } from "../step.ts";
import type { StepContext } from "./context.ts";

/** Environment of programs in the image, whatever the host's is. */
export const imageEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  TERM: "dumb",
  LC_ALL: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
  DEBCONF_NONINTERACTIVE_SEEN: "true",
} as const;

/** @throws BerryError `software` with the last lines of what the program said, when it fails */
export async function hostProgram(
  argv: readonly string[],
  options: Omit<CommandOptions, "onLine">,
  context: StepContext,
): Promise<CommandResult> {
  const result = await context.runner.run(
    argv,
    {
      ...options,
      env: { ...context.environment, ...options.env },
      onLine: (line) => context.emit({ event: "output", step: context.step, line }),
    },
    context.signal,
  );
  if (result.exitCode === 0) return result;
  throw new BerryError("software", `${argv.slice(0, 2).join(" ")} failed with exit code ${result.exitCode}\n${lastLines(result)}`, {
    hint: hintFor(result),
  });
}

export async function run(step: Run, context: StepContext): Promise<void> {
  const { env, stdin } = step;
  const result = await hostProgram(
    step.argv,
    { ...(env === undefined ? {} : { env }), ...(stdin === undefined ? {} : { stdin }) },
    context,
  );
  warnAbout(step.warnAbout, result, context);
}

export async function chroot(step: Chroot, context: StepContext): Promise<void> {
  const stdin = typeof step.stdin === "object" ? await passwordLine(step.stdin) : step.stdin;
  const result = await hostProgram(
    ["chroot", step.root, ...step.argv],
    { env: { ...imageEnvironment, ...step.env }, ...(stdin === undefined ? {} : { stdin }) },
    context,
  );
  warnAbout(step.warnAbout, result, context);
}

function warnAbout(pattern: string | undefined, { stdout, stderr }: CommandResult, context: StepContext): void {
  if (pattern === undefined) return;
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => new RegExp(pattern).test(line));
  for (const message of new Set(lines)) {
    context.emit({ event: "warned", message, hint: "a package's script failed in the image: --verbose shows which" });
  }
}

async function passwordLine(line: PasswordLine): Promise<string> {
  return `${line.user}:${"passwordHash" in line ? line.passwordHash : await firstLine(line.passwordFile)}\n`;
}

/** First line of a secret's file, without its line end. */
export async function firstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).split(/\r?\n/, 1)[0] ?? "";
  } catch (cause) {
    throw new BerryError("no-input", `cannot read ${path}`, { cause });
  }
}

function lastLines({ stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-12).map((line) => `  ${line}`).join("\n");
}

function hintFor({ stderr, stdout }: CommandResult): string {
  const text = stdout + stderr;
  if (/No space left on device/i.test(text)) return "the disk is full: free some space, or move the cache with --cache-dir";
  if (/could not resolve|Temporary failure resolving|Failed to fetch|failed retrieving file/i.test(text)) {
    return "check the network and the mirror (image.mirror in berry.toml)";
  }
  return "run again with --verbose to see all that it said";
}
