import { chmod, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";

/**
 * Writes a text into a file by one rename, where it differs from what is there: whoever reads the file finds the old
 * text or the new one, whole. What a link names is written, and keeps its mode.
 * @returns whether anything was written
 * @throws BerryError `cannot-create`
 */
export async function writeChangedText(file: string, text: string): Promise<boolean> {
  const target = await realpath(file).catch(() => file);
  const before = await stat(target).catch(() => null);
  if (before !== null && !before.isFile())
    throw new BerryError("cannot-create", `${file}: not a file, and nothing is written over it`, {
      hint: "name a file for --write",
    });
  if (before !== null && before.size === Buffer.byteLength(text)) {
    const old = await readFile(target, "utf8").catch(() => null);
    if (old === text) return false;
  }
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  try {
    // what a killed process of the same number left
    await rm(draft, { force: true });
    await using handle = await open(draft, "wx", 0o666);
    await handle.writeFile(text);
    if (before !== null) await chmod(draft, before.mode & 0o777);
    await handle.sync();
    await rename(draft, target);
  } catch (thrown) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new BerryError("cannot-create", `${file}: cannot be written: ${messageOf(thrown)}`, {
      cause: thrown,
      hint: `ls -ld ${dirname(target)} shows who may write there`,
    });
  }
  return true;
}
