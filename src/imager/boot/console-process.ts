import { BerryError } from "../../core/errors.ts";
import { plainText } from "./console-sign.ts";

/** A program whose standard input and output are a console. Disposing of it kills it, and waits for its end. */
export interface ConsoleProcess extends AsyncDisposable {
  readonly pid: number;
  /** Every finished line so far, without control characters. */
  readonly lines: readonly string[];
  /** The unfinished last line: a prompt, perhaps. */
  readonly unfinishedLine: () => string;
  /** Settles with its exit code when the program has ended, for whatever reason. */
  readonly exited: Promise<number>;
  /** What it wrote to stderr. */
  readonly complaints: () => string;
  /**
   * Resolves with the first line, finished or not, that matches; lines before `from` do not count.
   * @throws BerryError `software` when the program ends before
   */
  waitForLine(pattern: RegExp, signal: AbortSignal, from?: number): Promise<string>;
  write(text: string): void;
}

/** Told of what came: finished lines, and the unfinished one after them. */
export type ConsoleListener = (lines: readonly string[], unfinished: string) => void;

/**
 * Starts a program that the kernel kills as soon as berry is gone, even by SIGKILL.
 * @param setpriv path of util-linux' program
 * @param listener called after every chunk of output
 */
export function startConsoleProcess(
  argv: readonly string[],
  setpriv: string,
  environment: Readonly<Record<string, string>>,
  listener: ConsoleListener,
): ConsoleProcess {
  const child = Bun.spawn([setpriv, "--pdeathsig", "KILL", "--", ...argv], {
    env: { ...environment },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    // Ctrl-C at the terminal reaches berry alone, which then ends the program in good order.
    detached: true,
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let unfinished = "";
  let complaints = "";
  let ended = false;

  const readConsole = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of child.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      const finished = parts.map(plainText);
      lines.push(...finished);
      unfinished = plainText(rest);
      listener(finished, unfinished);
      for (const check of waiting) check();
    }
  };
  const readComplaints = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) complaints += decoder.decode(chunk, { stream: true });
  };
  const exited = Promise.all([child.exited, readConsole(), readComplaints()]).then(([exitCode]) => {
    ended = true;
    for (const check of waiting) check();
    return exitCode;
  });

  return {
    pid: child.pid,
    lines,
    exited,
    unfinishedLine: () => unfinished,
    complaints: () => complaints.trim(),
    write(text) {
      void child.stdin.write(text);
      void child.stdin.flush();
    },
    waitForLine(pattern, signal, from = 0) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      let next = from;
      const check = (): void => {
        for (; next < lines.length; next += 1) {
          const line = lines[next] ?? "";
          if (pattern.test(line)) return resolve(line);
        }
        if (pattern.test(unfinished)) return resolve(unfinished);
        if (ended) reject(new BerryError("software", `the console ended before a line matched ${pattern}`));
      };
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.add(check);
      check();
      return promise.finally(() => {
        waiting.delete(check);
        signal.removeEventListener("abort", onAbort);
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
