import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeNewFiles } from "../../config/write-new-files.ts";
import { BerryError, codeOf } from "../../core/errors.ts";
import type { MonitorFile } from "./monitor-files.ts";

export interface LaidOut {
  readonly written: readonly string[];
  /** What was there already, word for word. */
  readonly unchanged: readonly string[];
}

const hint = "compare and move it away, or name another folder: berry probe monitor init FOLDER";

const otherFolder = "name another folder: berry probe monitor init FOLDER";

/**
 * Writes files into a folder, all or none of them. What is there and says something else stays as it is.
 * @throws BerryError `usage`, `cannot-create` or `no-permission`; nothing is left behind then
 */
export async function layOut(folder: string, files: readonly MonitorFile[]): Promise<LaidOut> {
  if (folder === "") throw new BerryError("usage", "the folder's name is empty", { hint: otherFolder });
  await refuseOdd(folder);
  const present = await Promise.all(
    files.map(async (file) => ({ file, text: await textOf(join(folder, file.name)) })),
  );
  const changed = present.filter(({ file, text }) => text !== null && text !== file.text);
  if (changed.length > 0)
    throw new BerryError(
      "cannot-create",
      `${changed.map(({ file }) => join(folder, file.name)).join(", ")}: not as berry would write it, and left as it is`,
      { hint },
    );
  const missing = present.filter(({ text }) => text === null).map(({ file }) => file);
  const news = missing.map(({ name, text }) => ({ path: name, text, mode: 0o644 as const, hint }));
  try {
    if (news.length > 0) await writeNewFiles(folder, news, async () => undefined);
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    throw new BerryError(thrown.kind, thrown.message, {
      cause: thrown.cause,
      hint: otherFolder,
    });
  }
  const paths = (of: readonly MonitorFile[]) => of.map(({ name }) => join(folder, name));
  return { written: paths(missing), unchanged: paths(files.filter((file) => !missing.includes(file))) };
}

async function refuseOdd(folder: string): Promise<void> {
  const entry = await stat(folder).catch(() => null);
  if (entry !== null && !entry.isDirectory())
    throw new BerryError("cannot-create", `${folder}: a file, and not a folder`, { hint: otherFolder });
}

/** @returns null where there is nothing of that name */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT") return null;
    const isRefused = code === "EACCES" || code === "EPERM";
    throw new BerryError(isRefused ? "no-permission" : "cannot-create", `cannot read ${path}`, {
      cause,
      hint,
    });
  }
}
