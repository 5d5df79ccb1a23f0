import { basename, dirname, resolve } from "node:path";
import { loadConfig } from "c12";
import { parse } from "smol-toml";
import { BerryError, messageOf } from "../core/errors.ts";
import { hostFiles, isLink } from "./host-files.ts";

export interface TomlDocument {
  /** Absolute path. */
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Written by hand, none is longer. */
const mostBytes = 1024 * 1024;

/**
 * Reads a TOML file: data alone. Nothing is executed, extended, fetched or taken from the environment.
 * @param names which names are taken: those that end in .toml, or any, whose content is TOML all the same
 * @throws BerryError `no-input` when it is not there, `no-permission` when it may not be read, `config` when it is not TOML
 */
export async function readToml(
  file: string,
  missingHint: string,
  names: "toml" | "any" = "toml",
): Promise<TomlDocument> {
  const path = resolve(file);
  const entry = await hostFiles.look(path);
  if (names === "toml" && !file.endsWith(".toml"))
    throw new BerryError("usage", `${file}: not a TOML file`, { hint: "name a file that ends in .toml" });
  if (entry.kind === "missing") {
    if (await isLink(path))
      throw new BerryError("no-input", `${file}: a link that leads nowhere`, {
        hint: `ls -l ${file}; correct it, or move it away; ${missingHint}`,
      });
    throw new BerryError("no-input", `${file}: no such file`, { hint: missingHint });
  }
  if (entry.kind === "unreadable")
    throw new BerryError("no-permission", `${file}: cannot be read`, {
      hint: `ls -l ${file}; let its owner give you leave (chmod a+r), or move it away`,
    });
  if (entry.kind !== "file") {
    const what = entry.kind === "folder" ? "a folder, and not a file" : "not a file";
    throw new BerryError("no-input", `${file}: ${what}`, {
      hint: `ls -ld ${file}; move it away; ${missingHint}`,
    });
  }
  if (entry.sizeBytes > mostBytes)
    throw new BerryError(
      "config",
      `${file}: ${entry.sizeBytes} bytes: no configuration is larger than 1 MiB`,
      {
        hint: "name another file",
      },
    );
  const text = await hostFiles.readText(path);
  if (text === null || text.includes("\0"))
    throw new BerryError("config", `${file}: not UTF-8 text`, {
      hint: `save it as UTF-8; file ${file} says what it is`,
    });
  try {
    const { config } = await loadConfig<Record<string, unknown>>({
      cwd: dirname(path),
      configFile: basename(path),
      // what was judged above, whatever the file is called; some editors mark UTF-8 at its beginning
      resolve: () => ({ cwd: dirname(path), configFile: path, config: parse(text.replace(/^\uFEFF/, "")) }),
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
