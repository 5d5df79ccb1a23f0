import type { Log } from "../core/ports.ts";

/** How the words before the colon are set off. */
export interface LogStyle {
  yellow(word: string): string;
  cyan(word: string): string;
}

/**
 * A log of lines without timestamps (journald adds its own): `warning: …` and `hint: …` as errors are told.
 * `print` writes a line to stderr; `style` sets its first word off.
 */
export function createLog(print: (line: string) => void, style: LogStyle): Log {
  return {
    info: print,
    warn(message, hint) {
      print(`${style.yellow("warning:")} ${message}`);
      if (hint !== undefined) print(`${style.cyan("hint:")} ${hint}`);
    },
  };
}
