import type { Stats } from "node:fs";
import { type FileHandle, lstat, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { writeByRename } from "../../config/write-by-rename.ts";
import { BerryError, codeOf, messageOf } from "../../core/errors.ts";

/**
 * Writes a text into a file by one rename, where it differs from what is there: whoever reads the file finds the old
 * text or the new one, whole. What a link names is written, and keeps its owner, its group and its mode.
 * @returns whether anything was written
 * @throws BerryError `cannot-create`
 */
export async function writeChangedText(file: string, text: string): Promise<boolean> {
  const target = await targetOf(file);
  const before = await stat(target).catch(() => null);
  if (before !== null && !before.isFile())
    throw new BerryError("cannot-create", `${file}: not a file, and nothing is written over it`, {
      hint: "name a file for --write",
    });
  if (before !== null && before.size === Buffer.byteLength(text)) {
    const old = await readFile(target, "utf8").catch(() => null);
    if (old === text) return false;
  }
  try {
    await writeByRename(target, text, {
      ending: `${process.pid}.new`,
      prepare: async (draft) => {
        if (before !== null) await keepFacts(file, draft, before);
      },
    });
  } catch (thrown) {
    if (thrown instanceof BerryError) throw thrown;
    const { why, hint } = obstacle(thrown, dirname(target));
    throw new BerryError("cannot-create", `${file}: cannot be written: ${why}`, { cause: thrown, hint });
  }
  return true;
}

function obstacle(thrown: unknown, folder: string): { readonly why: string; readonly hint: string } {
  const code = codeOf(thrown);
  if (code === "ENOSPC" || code === "EDQUOT")
    return { why: "no space left", hint: `df ${folder} shows how full it is` };
  if (code === "EROFS")
    return { why: "the file system is read-only", hint: "name a file elsewhere for --write" };
  return { why: messageOf(thrown), hint: `ls -ld ${folder} shows who may write there` };
}

/** Where a name leads; a name of nothing leads to itself, and a link to nowhere is not written over. */
async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (cause) {
    const entry = await lstat(file).catch(() => null);
    if (entry === null) return file;
    const what = entry.isSymbolicLink() ? "a link that leads nowhere" : "out of reach";
    throw new BerryError("cannot-create", `${file}: ${what}, and left as it is`, {
      cause,
      hint: `ls -l ${file}; remove it, or name another file for --write`,
    });
  }
}

async function keepFacts(file: string, draft: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await draft.stat();
  if (own.uid !== uid || own.gid !== gid)
    try {
      await draft.chown(uid, gid);
    } catch (cause) {
      throw new BerryError("cannot-create", `${file}: belongs to somebody else, who would lose it`, {
        cause,
        hint: `sudo chown "$(id -u):$(id -g)" ${file}, or name another file for --write`,
      });
    }
  await draft.chmod(mode & 0o777);
}
