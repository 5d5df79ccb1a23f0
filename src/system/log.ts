import type { Log } from "../core/ports.ts";

/**
 * A log of lines without timestamps (journald adds its own): `warning: …` and `hint: …` as errors are told.
 * `print` writes a line to stderr; `mark` sets the word `warning:` off.
 */
export function createLog(print: (line: string) => void, mark: (word: string) => string): Log {
  return {
    info: print,
    warn(message, hint) {
      print(`${mark("warning:")} ${message}`);
      if (hint !== undefined) print(`hint: ${hint}`);
    },
  };
}
