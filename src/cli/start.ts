import { createOutput } from "./output.ts";
import { readGlobalFlags } from "./arguments.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCommandLine, type Surroundings } from "./run.ts";
import { listenForSignals } from "./signals.ts";
import type { Group } from "./verb.ts";
import { ownVersion } from "./version.ts";

/** Runs this process's command line; the one place where the exit code is set. */
export async function start(root: Group, name: string, createLog: Surroundings["createLog"]): Promise<void> {
  const words = process.argv.slice(2);
  const facts = { env: process.env, refused: !readGlobalFlags(words).color };
  using interruption = listenForSignals();
  let lost = false;
  const stderr = createOutput(process.stderr, facts, () => undefined);
  const stdout = createOutput(process.stdout, facts, (error) => {
    lost = true;
    stderr.write(`error: cannot write the result: ${error.message}\n`);
    process.exitCode = exitCodes.io.code;
  });
  const exitCode = await runCommandLine(root, name, words, {
    stdout,
    stderr,
    version: ownVersion(process.arch),
    createLog,
    signal: interruption.signal,
  });
  // what was written may fail to arrive before or after this
  process.exitCode = lost && exitCode === 0 ? exitCodes.io.code : exitCode;
}
