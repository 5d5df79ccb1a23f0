import { readFile, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isMissing } from "../../core/errors.ts";
import { sha256Of } from "../facts/digest-file.ts";
import { noteNames } from "../software/software-file.ts";
import type { InstalledFiles, ListSoftware } from "../package-step.ts";
import { realPathInRoot } from "./root-path.ts";

/** Notes what a tree has installed, beside it: the database itself, and the digests of what this layer installed. */
export async function listSoftware(step: ListSoftware): Promise<void> {
  const { root, into } = step;
  const osRelease = await readFile(await realPathInRoot(root, "/etc/os-release"), "utf8").catch(
    emptyIfMissing,
  );
  await writeFile(join(into, noteNames.database), await databaseOf(step), { mode: 0o600 });
  await writeFile(join(into, noteNames.digests), await digestLines(await installedFiles(step.files)), {
    mode: 0o600,
  });
  await writeFile(join(into, noteNames.osRelease), osRelease, { mode: 0o600 });
}

/** Files that packages, or a tarball, were installed from: absolute paths, by name. */
export async function installedFiles(files: InstalledFiles): Promise<string[]> {
  switch (files.kind) {
    case "none":
      return [];
    case "file":
      return [files.path];
    case "folders": {
      const names = await Promise.all(
        files.folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
      );
      return names.flat().toSorted();
    }
    case "pacman": {
      // the overlay's upper folder has the entries that this layer made, named NAME-VERSION-RELEASE;
      // of those that it removed, it has a device in their place (overlayfs' whiteout)
      const local = join(files.upper, "var/lib/pacman/local");
      const entries = await readdir(local, { withFileTypes: true }).catch(() => []);
      const made = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      const names = await cachedPackages(files.cache, new Set(made));
      return names.map((name) => join(files.cache, name));
    }
  }
}

/**
 * Names of package files in pacman's cache, without their signatures.
 * @param wanted NAME-VERSION-RELEASE
 */
export async function cachedPackages(cache: string, wanted: ReadonlySet<string>): Promise<string[]> {
  const cached = await readdir(cache).catch(() => []);
  return cached.filter((name) => wanted.has(name.replace(/-[^-]+\.pkg\.tar\.\w+$/, ""))).toSorted();
}

/** As sha256sum(1) writes them, without folders. */
async function digestLines(paths: readonly string[]): Promise<string> {
  let lines = "";
  for (const path of paths) lines += `${await sha256Of(path)}  ${basename(path)}\n`;
  return lines;
}

async function databaseOf({ root, database }: ListSoftware): Promise<string> {
  switch (database) {
    case "dpkg":
      return await readFile(await realPathInRoot(root, "/var/lib/dpkg/status"), "utf8");
    case "pacman": {
      const folder = await realPathInRoot(root, "/var/lib/pacman/local");
      const texts = await Promise.all(
        (await readdir(folder))
          .toSorted()
          .map((entry) => readFile(join(folder, entry, "desc"), "utf8").catch(emptyIfMissing)),
      );
      return texts.map((text) => (text === "" ? "" : `${text.trimEnd()}\n\n`)).join("");
    }
  }
}

/** Such as ALPM_DB_VERSION, which is a file beside the packages' folders. */
function emptyIfMissing(error: unknown): string {
  if (isMissing(error)) return "";
  throw error;
}
