import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Check } from "../../config/problem.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Asker } from "./asker.ts";

/** What an asker needs of a terminal. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  /** Where questions go, and what is typed when it may be seen. */
  write(text: string): void;
}

/**
 * Asks at a terminal, line by line; what is wrong with an answer goes to `log`.
 * Not consola's prompts: under Bun 1.4.5 its text prompt loses what is typed (its tty.WriteStream calls no `_write`).
 */
export function terminalAsker(terminal: Terminal, log: Log, signal: AbortSignal): Asker & Disposable {
  const echo = { isOn: true };
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (echo.isOn) terminal.write(new TextDecoder().decode(chunk));
      done();
    },
  });
  const lines = createInterface({ input: terminal.input, output, terminal: true, historySize: 0 });
  const reader = lineReader(lines, signal);

  const ask = async (prompt: string, isShown: boolean): Promise<string> => {
    if (!isShown) terminal.write(prompt);
    echo.isOn = isShown;
    lines.setPrompt(isShown ? prompt : "");
    lines.prompt();
    try {
      return await reader.next();
    } finally {
      echo.isOn = true;
      if (!isShown) terminal.write("\n");
    }
  };

  const untilRight = async (check: Check, answer: () => Promise<string>): Promise<string> => {
    for (;;) {
      const given = await answer();
      const flaw = check(given);
      if (flaw === null) return given;
      log.warn(flaw.problem, flaw.remedy);
    }
  };

  return {
    text: (question, suggestion, check) =>
      untilRight(check, async () => {
        const typed = await ask(suggestion === "" ? `${question}: ` : `${question} [${suggestion}]: `, true);
        return typed.trim() === "" ? suggestion : typed.trim();
      }),
    async choose(question, options) {
      const numbered = options.map((option, index) => `  ${index + 1}  ${option}\n`).join("");
      terminal.write(`${question}:\n${numbered}`);
      const typed = await untilRight(
        numberUpTo(options.length),
        async () => (await ask("Number [1]: ", true)).trim() || "1",
      );
      return options[Number(typed) - 1] ?? "";
    },
    secret: (question, check) => untilRight(check, () => ask(`${question}: `, false)),
    [Symbol.dispose]: () => lines.close(),
  };
}

function numberUpTo(count: number): Check {
  return (typed) =>
    /^[1-9]\d*$/.test(typed) && Number(typed) <= count
      ? null
      : { problem: "not one of the numbers", remedy: `type a number from 1 to ${count}` };
}

/** Hands out lines in the order in which they were typed, also those that came before they were asked for. */
function lineReader(lines: Interface, signal: AbortSignal): { next(): Promise<string> } {
  const typed: string[] = [];
  let waiting: PromiseWithResolvers<string> | null = null;
  let isOver = false;
  const end = () => {
    isOver = true;
    waiting?.reject(interrupted());
  };
  lines.on("line", (line) => {
    if (waiting === null) typed.push(line);
    else waiting.resolve(line);
    waiting = null;
  });
  lines.on("SIGINT", end).on("close", end);
  signal.addEventListener("abort", end, { once: true });
  return {
    next() {
      if (isOver || signal.aborted) return Promise.reject(interrupted());
      const line = typed.shift();
      if (line !== undefined) return Promise.resolve(line);
      waiting = Promise.withResolvers<string>();
      return waiting.promise;
    },
  };
}

function interrupted(): BerryError {
  return new BerryError("interrupted", "interrupted: nothing was written");
}
