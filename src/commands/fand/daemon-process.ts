import { writeSync } from "node:fs";
import { listenForSignals } from "../../cli/signals.ts";
import { messageOf } from "../../core/errors.ts";
import { createLog } from "../../system/log.ts";
import { runDaemon } from "./daemon.ts";

/**
 * The daemon without the command line's parser, help and screen: they would stay in memory for months.
 * Sets the exit code of this process, and throws nothing.
 */
export async function startDaemon(config: string | undefined): Promise<void> {
  using interruption = listenForSignals();
  const log = createLog(printLine, { yellow: (word) => word, cyan: (word) => word });
  try {
    await runDaemon(config, log, interruption.signal);
  } catch (thrown) {
    const { toFailure } = await import("../../cli/failure.ts");
    const { exitCodes } = await import("../../cli/exit-codes.ts");
    const { kind, message, hint } = toFailure(thrown, interruption.signal);
    printLine(`error: ${message === "" ? messageOf(thrown) : message}`);
    if (hint !== null) printLine(`hint: ${hint}`);
    process.exitCode = exitCodes[kind].code;
  }
}

/** A full or closed journal is no reason to stop. */
function printLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // nobody reads it
  }
}
