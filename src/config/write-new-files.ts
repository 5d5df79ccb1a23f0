import { chmod, lstat, mkdir, open, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BerryError, codeOf } from "../core/errors.ts";
import { type HostEntry, hostFiles } from "./host-files.ts";

export interface NewFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly text: string;
  /** Permission bits; 0o600 makes the file's folder 0o700. */
  readonly mode: 0o600 | 0o644;
  /** What to do when the path is taken. */
  readonly hint: string;
}

const otherFolder = "choose another folder with --dir, or repair this one";

/** What lies at a path that is taken, where it is no file that could be used or edited. */
const oddities: Readonly<Record<HostEntry["kind"], string | null>> = {
  file: null,
  folder: "it is a folder",
  missing: "it is a link that leads nowhere",
  unreadable: "it cannot be read",
  other: "it is not a file",
};

/** @throws BerryError `cannot-create` when one of the paths is taken; nothing is touched */
export async function refuseTaken(folder: string, files: readonly NewFile[]): Promise<void> {
  for (const { path, hint } of files) {
    if (await isTaken(join(folder, path))) {
      const whole = join(folder, path);
      const oddity = oddities[(await hostFiles.look(whole)).kind];
      throw new BerryError(
        "cannot-create",
        `${whole} exists already and is never overwritten${oddity === null ? "" : `: ${oddity}`}`,
        {
          hint: oddity === null ? hint : `ls -ld ${whole}; move it away, or choose another folder with --dir`,
        },
      );
    }
  }
}

/**
 * Writes files that are not there yet, in order, then calls `verify`.
 * When anything fails, everything that was made is removed again. No file is ever overwritten.
 * @throws BerryError `cannot-create`, or what `verify` throws
 */
export async function writeNewFiles(
  folder: string,
  files: readonly NewFile[],
  verify: () => Promise<void>,
): Promise<void> {
  await refuseTaken(folder, files);
  await using undo = new AsyncDisposableStack();
  const makeFolder = async (path: string, mode: number) => {
    const first = await create(() => mkdir(path, { recursive: true, mode }), path);
    if (first !== undefined) undo.defer(() => removeFolders(path, first));
  };
  await makeFolder(folder, 0o777);
  for (const { path, text, mode, hint } of files) {
    const whole = join(folder, path);
    await makeFolder(dirname(whole), mode === 0o600 ? 0o700 : 0o777);
    const handle = await create(() => open(whole, "wx", mode), whole, hint);
    undo.defer(() => rm(whole, { force: true }));
    try {
      await create(() => handle.writeFile(text), whole);
      await create(() => handle.sync(), whole);
    } finally {
      await handle.close();
    }
    if (mode === 0o600) await chmod(whole, mode);
  }
  await verify();
  undo.move();
}

/**
 * Adds lines to a .gitignore, which is made when it is missing. A line that is there, with or without slashes, stays alone.
 * @returns whether anything was added
 */
export async function extendGitignore(folder: string, lines: readonly string[]): Promise<boolean> {
  const path = join(folder, ".gitignore");
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT") return "";
    throw new BerryError("io", `cannot read ${path}`, { cause: thrown });
  });
  const bare = (line: string) => line.trim().replace(/^\//, "").replace(/\/$/, "");
  const known = new Set(text.split("\n").map(bare));
  const missing = lines.filter((line) => !known.has(bare(line)));
  if (missing.length === 0) return false;
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  await create(() => writeFile(path, `${separator}${missing.join("\n")}\n`, { flag: "a" }), path);
  return true;
}

async function create<T>(make: () => Promise<T>, path: string, hint?: string): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    const code = codeOf(cause);
    const kind =
      code === "EACCES" || code === "EPERM" || code === "EROFS" ? "no-permission" : "cannot-create";
    const remedy = code === "EEXIST" && hint !== undefined ? hint : otherFolder;
    throw new BerryError(kind, `cannot write ${path}`, { cause, hint: remedy });
  }
}

/** Removes the folders from `last` up to `first`, while they are empty. */
async function removeFolders(last: string, first: string): Promise<void> {
  for (let folder = last; folder.startsWith(first); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      // somebody else put something into it: it is theirs now
      return;
    }
  }
}

/** A link that leads nowhere takes its path, too. */
async function isTaken(path: string): Promise<boolean> {
  const look = async () => {
    try {
      await lstat(path);
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return false;
      throw thrown;
    }
  };
  return create(look, path);
}
