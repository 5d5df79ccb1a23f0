import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BerryError, isMissing } from "../../core/errors.ts";
import type { PacmanKeyring, RemovePackages } from "../package-step.ts";
import type { StepContext } from "./context.ts";
import { realPathInRoot } from "./root-path.ts";
import { hostProgram, imageEnvironment } from "./run.ts";

/**
 * Imports the keys and trusts those of KEYRING-trusted ultimately; revoked ones are disabled. pacman-key(8) would
 * sign them with a secret master key instead, which needs an agent and belongs to a node alone.
 */
export async function pacmanKeyring(step: PacmanKeyring, context: StepContext): Promise<void> {
  const { folder } = step;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "gpg.conf"), "no-autostart\nno-greeting\nno-permission-warning\nlock-never\n");
  await writeFile(join(folder, "pubring.gpg"), "");
  // No agent is wanted, but gpg fails where the path of its socket is too long for an address (unix(7): 108 bytes).
  // Libassuan lets a file in its place name another one, where there is none.
  await writeFile(join(folder, "S.gpg-agent"), "%Assuan%\nsocket=/nonexistent/S.gpg-agent\n");
  const gpg = async (argv: readonly string[], stdin?: string): Promise<void> => {
    await hostProgram(
      ["gpg", "--homedir", folder, "--batch", "--quiet", ...argv],
      stdin === undefined ? {} : { stdin },
      context,
    );
  };
  await gpg(["--import", await realPathInRoot(step.root, `/usr/share/pacman/keyrings/${step.keyring}.gpg`)]);
  const trusted = await linesOf(step, "trusted");
  if (trusted.length === 0)
    throw new BerryError("bad-data", `the image's keyring ${step.keyring} trusts no key`);
  await gpg(["--import-ownertrust"], trusted.map((line) => `${line.split(":")[0]}:6:\n`).join(""));
  for (const revoked of await linesOf(step, "revoked")) {
    await gpg(["--command-fd", "0", "--no-auto-check-trustdb", "--edit-key", revoked], "disable\nquit\n");
  }
  await gpg(["--check-trustdb"]);
}

async function linesOf(step: PacmanKeyring, kind: "trusted" | "revoked"): Promise<string[]> {
  const path = await realPathInRoot(step.root, `/usr/share/pacman/keyrings/${step.keyring}-${kind}`);
  try {
    return (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A folder of the local database is named NAME-VERSION-RELEASE, and neither of the latter has a hyphen. */
export async function removePackages(step: RemovePackages, context: StepContext): Promise<void> {
  const database = await realPathInRoot(step.root, "/var/lib/pacman/local");
  const installed = new Set((await readdir(database)).map((entry) => entry.replace(/-[^-]+-[^-]+$/, "")));
  const present = step.packages.filter((name) => installed.has(name));
  if (present.length === 0) return;
  const prefix = step.emulated ? ["chroot", step.root] : [];
  await hostProgram(
    [...prefix, ...step.argv, ...present],
    { env: step.emulated ? imageEnvironment : {} },
    context,
  );
}
