import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { consola } from "consola";
import type { Check } from "../../config/problem.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Asker } from "./asker.ts";

/** Asks at the terminal, by consola's prompts. What is wrong with an answer goes to `log`. */
export function terminalAsker(log: Log, signal: AbortSignal): Asker {
  const untilRight = async (check: Check, ask: () => Promise<string>): Promise<string> => {
    for (;;) {
      const answer = await ask();
      const flaw = check(answer);
      if (flaw === null) return answer;
      log.warn(flaw.problem, flaw.remedy);
    }
  };
  return {
    text: (question, suggestion, check) =>
      untilRight(check, async () => {
        const options = suggestion === "" ? {} : { default: suggestion, placeholder: suggestion };
        const answer = await prompted(
          () => consola.prompt(question, { type: "text", cancel: "reject", ...options }),
          signal,
        );
        return answer ?? suggestion;
      }),
    choose: (question, options) =>
      prompted(
        () => consola.prompt(question, { type: "select", cancel: "reject", options: [...options] }),
        signal,
      ),
    secret: (question, check) => untilRight(check, () => readUnseen(question, signal)),
  };
}

/** consola takes Ctrl-C as a key while it asks, and knows no signal: a signal presses that key. */
async function prompted<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const cancel = () =>
    process.stdin.emit("keypress", "\u0003", { name: "c", ctrl: true, sequence: "\u0003" });
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "ConsolaPromptCancelledError") throw interrupted();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Reads a line without showing it, which consola cannot. */
async function readUnseen(question: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const abort = () => reject(interrupted());
  signal.addEventListener("abort", abort, { once: true });
  lines.once("line", resolve).once("SIGINT", abort).once("close", abort);
  process.stderr.write(`${question}: `);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    lines.close();
    process.stderr.write("\n");
  }
}

function interrupted(): BerryError {
  return new BerryError("interrupted", "interrupted: nothing was written");
}
