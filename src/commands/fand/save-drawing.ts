import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeByRename } from "../../config/write-by-rename.ts";
import { BerryError, codeOf } from "../../core/errors.ts";

/**
 * Judges where a drawing shall go, before anything is computed for it.
 * @param path as it was typed @param inputs files that are read, which it must not replace
 * @returns the path of the file itself, where links are followed
 * @throws BerryError `usage`, `cannot-create` or `no-permission`
 */
export async function judgeDrawing(path: string, inputs: readonly (string | undefined)[]): Promise<string> {
  if (path === "-")
    throw new BerryError("usage", "--svg writes a file, not stdout, which has the table", {
      hint: "name it: --svg trace.svg",
    });
  const folder = dirname(path);
  const found = await statOf(folder);
  if (found === null)
    throw new BerryError("cannot-create", `${path}: there is no folder ${folder}`, {
      hint: `mkdir -p ${folder}`,
    });
  if (!found.isDirectory())
    throw new BerryError("cannot-create", `${path}: ${folder} is no folder`, { hint: "name another place" });
  const there = await statOf(path);
  if (there === null) return join(await realpath(folder), basename(path));
  if (!there.isFile())
    throw new BerryError("cannot-create", `${path}: is no plain file`, {
      hint: "name a file that may be replaced",
    });
  for (const input of inputs) {
    // oxlint-disable-next-line no-await-in-loop
    const read = input === undefined ? null : await statOf(input);
    if (read !== null && read.dev === there.dev && read.ino === there.ino)
      throw new BerryError("usage", `${path}: is what is read: it would be replaced by the drawing`, {
        hint: "name another file",
      });
  }
  return realpath(path);
}

/** Replaces a file in one step: what was there is as it was where the drawing cannot be written. */
export async function saveDrawing(path: string, svg: string): Promise<void> {
  try {
    await writeByRename(path, svg, { ending: `${process.pid}.partial` });
  } catch (thrown) {
    throw refusal(path, thrown);
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw refusal(path, thrown);
  }
}

function refusal(path: string, cause: unknown): BerryError {
  const code = codeOf(cause);
  return code === "EACCES" || code === "EPERM"
    ? new BerryError("no-permission", `${path}: may not be written to`, { cause, hint: "name another place" })
    : new BerryError("cannot-create", `${path}: cannot be written`, { cause, hint: "name another place" });
}
