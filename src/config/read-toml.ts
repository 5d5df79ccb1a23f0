import { basename, dirname, resolve } from "node:path";
import { loadConfig } from "c12";
import { BerryError, messageOf } from "../core/errors.ts";
import { hostFiles } from "./host-files.ts";

export interface TomlDocument {
  /** Absolute path. */
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/**
 * Reads a TOML file: data alone. Nothing is executed, extended, fetched or taken from the environment.
 * @throws BerryError `no-input` when it is not there, `no-permission` when it may not be read, `config` when it is not TOML
 */
export async function readToml(file: string, missingHint: string): Promise<TomlDocument> {
  const path = resolve(file);
  const entry = await hostFiles.look(path);
  if (!file.endsWith(".toml"))
    throw new BerryError("usage", `${file}: not a TOML file`, { hint: "name a file that ends in .toml" });
  if (entry.kind === "missing")
    throw new BerryError("no-input", `${file}: no such file`, { hint: missingHint });
  if (entry.kind === "unreadable")
    throw new BerryError("no-permission", `${file}: cannot be read`, { hint: `ls -l ${file}` });
  if (entry.kind !== "file") throw new BerryError("no-input", `${file}: not a file`, { hint: missingHint });
  try {
    const { config } = await loadConfig<Record<string, unknown>>({
      cwd: dirname(path),
      configFile: basename(path),
      rcFile: false,
      globalRc: false,
      dotenv: false,
      packageJson: false,
      giget: false,
      extend: false,
      envName: false,
      // the file alone, as it is: c12's own merger drops keys without a word
      merger: (...sources) => sources.find((source) => source !== undefined && source !== null) ?? {},
    });
    return { path, content: config };
  } catch (thrown) {
    throw syntaxError(file, thrown);
  }
}

/** The parser's message quotes lines of the file, which may hold a secret: only its first line is passed on, and no cause. */
function syntaxError(file: string, thrown: unknown): BerryError {
  const [first = ""] = messageOf(thrown).split("\n");
  const problem = first.replace(/^Invalid TOML document: /, "");
  const place =
    thrown instanceof Error && "line" in thrown && "column" in thrown
      ? `line ${String(thrown.line)}, column ${String(thrown.column)}`
      : "";
  return new BerryError("config", [file, place, problem].filter((part) => part !== "").join(": "), {
    hint: "strings stand between quotes, tables between [brackets]; see https://toml.io",
  });
}
