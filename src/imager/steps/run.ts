import { readFile, stat } from "node:fs/promises";
import { BerryError } from "../../core/errors.ts";
import type { CommandOptions, CommandResult } from "../../core/ports.ts";
import type { Chroot, PasswordLine, Run } from "../step.ts";
import type { StepContext } from "./context.ts";
import { programFailure, scriptFailure } from "./program-failure.ts";
import { realPathInRoot } from "./root-path.ts";

/** Environment of programs in the image, whatever the host's is. */
export const imageEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  TERM: "dumb",
  LC_ALL: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
  DEBCONF_NONINTERACTIVE_SEEN: "true",
} as const;

/** @throws BerryError sorted by `programFailure`, with the last lines of what the program said, when it fails */
export async function hostProgram(
  argv: readonly string[],
  options: Omit<CommandOptions, "onLine">,
  context: StepContext,
  failure: (result: CommandResult) => BerryError = (result) => programFailure(argv, result),
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
  throw failure(result);
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
  if (step.missingHint !== undefined) await requireProgram(step.root, step.argv[0] ?? "", step.missingHint);
  const result = await hostProgram(
    ["chroot", step.root, ...step.argv],
    { env: { ...imageEnvironment, ...step.env }, ...(stdin === undefined ? {} : { stdin }) },
    context,
    step.script === undefined ? undefined : (failed) => scriptFailure(step.script ?? "", failed),
  );
  warnAbout(step.warnAbout, result, context);
}

/** @throws BerryError `unavailable` unless the image has the program in its PATH */
async function requireProgram(root: string, program: string, hint: string): Promise<void> {
  for (const folder of imageEnvironment.PATH.split(":")) {
    const place = await realPathInRoot(root, `${folder}/${program}`);
    if (
      await stat(place).then(
        (stats) => stats.isFile(),
        () => false,
      )
    )
      return;
  }
  throw new BerryError("unavailable", `the image has no program ${program}`, { hint });
}

function warnAbout(
  pattern: string | undefined,
  { stdout, stderr }: CommandResult,
  context: StepContext,
): void {
  if (pattern === undefined) return;
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => new RegExp(pattern).test(line));
  for (const message of new Set(lines)) {
    context.emit({
      event: "warned",
      message,
      hint: "a package's script failed in the image: --verbose shows which",
    });
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
