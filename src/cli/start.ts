import { createOutput } from "./output.ts";
import { readGlobalFlags } from "./arguments.ts";
import { runCommandLine, type Surroundings } from "./run.ts";
import { listenForSignals } from "./signals.ts";
import type { Group } from "./verb.ts";
import { ownVersion } from "./version.ts";

/** Runs this process's command line; the one place where the exit code is set. */
export async function start(root: Group, name: string, createLog: Surroundings["createLog"]): Promise<void> {
  const words = process.argv.slice(2);
  const facts = { env: process.env, refused: !readGlobalFlags(words).color };
  using interruption = listenForSignals();
  process.exitCode = await runCommandLine(root, name, words, {
    stdout: createOutput(process.stdout, facts),
    stderr: createOutput(process.stderr, facts),
    version: ownVersion(process.arch),
    createLog,
    signal: interruption.signal,
  });
}
