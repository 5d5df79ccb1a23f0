import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Replaces a file by another in one step, so that nobody ever reads half of it. Folders are made. */
export function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const next = `${path}.next`;
  const file = openSync(next, "w", 0o644);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
