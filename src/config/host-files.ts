import { constants } from "node:fs";
import { access, lstat, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isMissing } from "../core/errors.ts";

/** What lies at a path of the host. Links are followed. */
export type HostEntry =
  | { readonly kind: "missing" | "unreadable" | "folder" | "other" }
  | { readonly kind: "file"; readonly mode: number; readonly sizeBytes: number };

/** The files that a configuration refers to. */
export interface HostFiles {
  /** Absolute; `~` is the home folder, anything else relative is below `folder`. */
  resolve(folder: string, path: string): string;
  look(path: string): Promise<HostEntry>;
  /** The whole text; null when it is not UTF-8. */
  readText(path: string): Promise<string | null>;
}

export const hostFiles: HostFiles = {
  resolve(folder, path) {
    if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
    return resolve(folder, path);
  },

  async look(path) {
    try {
      const entry = await stat(path);
      if (entry.isDirectory()) return { kind: "folder" };
      if (!entry.isFile()) return { kind: "other" };
      await access(path, constants.R_OK);
      return { kind: "file", mode: entry.mode & 0o7777, sizeBytes: entry.size };
    } catch (thrown) {
      return { kind: isMissing(thrown) ? "missing" : "unreadable" };
    }
  },

  async readText(path) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
    } catch (thrown) {
      if (thrown instanceof TypeError) return null;
      throw thrown;
    }
  },
};

/** Of the path itself: also where it leads nowhere. */
export async function isLink(path: string): Promise<boolean> {
  return await lstat(path).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
}
