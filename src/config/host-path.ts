import type { HostFiles } from "./host-files.ts";
import { type Diagnosis, show } from "./problem.ts";

/** What settings are resolved against. */
export interface Surroundings {
  /** Absolute path of the folder of berry.toml: relative paths start there. */
  readonly folder: string;
  readonly files: HostFiles;
  readonly diagnosis: Diagnosis;
}

/** Nothing that berry.toml names to be read as text is larger. */
const textLimitBytes = 64 * 1024;

/** The permission bits of the file at an absolute path; null, and a problem, when no file is there to be read. */
export async function findFile(
  path: string,
  key: string,
  written: string,
  around: Surroundings,
): Promise<number | null> {
  const entry = await around.files.look(path);
  const found = around.files.resolve("/", written) === path ? show(written) : `${show(written)} (${path})`;
  switch (entry.kind) {
    case "file":
      return entry.mode;
    case "missing":
      around.diagnosis.add(
        key,
        { problem: "no such file", found, remedy: "create it, or correct the path" },
        written,
      );
      return null;
    case "unreadable":
      around.diagnosis.add(
        key,
        { problem: "the file cannot be read", found, remedy: "give yourself the permission to read it" },
        written,
      );
      return null;
    case "folder":
      around.diagnosis.add(
        key,
        { problem: "a folder, not a file", found, remedy: "name a file in it" },
        written,
      );
      return null;
    case "other":
      around.diagnosis.add(key, { problem: "not a regular file", found, remedy: "name a file" }, written);
      return null;
  }
}

/** The text of a small file; null, and a problem, when it cannot be had. */
export async function readHostText(
  path: string,
  key: string,
  written: string,
  around: Surroundings,
): Promise<string | null> {
  if ((await findFile(path, key, written, around)) === null) return null;
  const entry = await around.files.look(path);
  if (entry.kind === "file" && entry.sizeBytes > textLimitBytes) {
    around.diagnosis.add(
      key,
      { problem: "the file is too large", found: `${entry.sizeBytes} bytes`, remedy: "name another file" },
      written,
    );
    return null;
  }
  const text = await around.files.readText(path);
  if (text === null)
    around.diagnosis.add(
      key,
      { problem: "the file is not UTF-8 text", remedy: "save it as plain text" },
      written,
    );
  return text;
}

/** The text of a file that holds a secret, for validation alone. Warns when others can read it too. */
export async function readSecretText(
  path: string,
  key: string,
  written: string,
  around: Surroundings,
): Promise<string | null> {
  const text = await readHostText(path, key, written, around);
  if (text !== null) await warnIfExposed(path, key, written, around);
  return text;
}

export async function warnIfExposed(
  path: string,
  key: string,
  written: string,
  around: Surroundings,
): Promise<void> {
  const entry = await around.files.look(path);
  if (entry.kind !== "file" || (entry.mode & 0o077) === 0) return;
  const mode = entry.mode.toString(8).padStart(4, "0");
  around.diagnosis.warn(
    key,
    `${written} holds a secret and is open to other users (mode ${mode})`,
    `chmod 600 ${path}`,
  );
}
