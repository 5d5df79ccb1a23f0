import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface Replacement {
  /** Of the draft's name, `.FILE.ENDING`: with the id of the process where several may write at the same time. */
  readonly ending: string;
  /** Permission bits of the draft, less the umask. */
  readonly mode?: number;
  /** Gives the draft an owner and a mode, before it has its name. */
  readonly prepare?: (draft: FileHandle) => Promise<void>;
}

/**
 * Replaces a file by one rename: whoever reads it finds the old text or the new one, whole, after a power cut, too.
 * A link in its place is replaced. When anything fails, what was there is as it was, and no draft stays behind.
 * @throws what the file system or `prepare` says
 */
export async function writeByRename(
  path: string,
  text: string,
  { ending, mode = 0o666, prepare }: Replacement,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${ending}`);
  try {
    // what a killed process left; nobody else's file or link is written to
    await rm(draft, { force: true });
    {
      await using file = await open(draft, "wx", mode);
      await file.writeFile(text);
      await prepare?.(file);
      await file.sync();
    }
    await rename(draft, path);
  } catch (thrown) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw thrown;
  }
}
