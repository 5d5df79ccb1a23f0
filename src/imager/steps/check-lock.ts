import { join } from "node:path";
import { sha256Of } from "../facts/digest-file.ts";
import { compareRootfs, refuseDifferences, strangers } from "../lock/compare-lock.ts";
import type { FoundPackage } from "../lock/compare-lock.ts";
import { packageOfFile } from "../software/databases.ts";
import type { CheckLock } from "../package-step.ts";
import type { StepContext } from "./context.ts";
import { cachedPackages, installedFiles } from "./list-software.ts";
import { hostProgram, imageEnvironment } from "./run.ts";

/**
 * Refuses what would be installed unless berry.lock has it, with the same bytes. What was installed in
 * the layer before is compared as well: it is thrown away when this refuses.
 * @throws BerryError that names every difference, see `refuseDifferences`
 */
export async function checkLock(step: CheckLock, context: StepContext): Promise<void> {
  const { locked, found } = step;
  const refuse = (packages: readonly FoundPackage[]): void =>
    refuseDifferences("the image", strangers(locked.packages, packages));
  switch (found.kind) {
    case "tarball": {
      const { url, signingKey } = found;
      const sha256 = await sha256Of(found.path);
      return refuseDifferences("the image", compareRootfs(locked.rootfs, { url, signingKey, sha256 }));
    }
    case "folders":
      return refuse(await packagesOf("apt", await installedFiles(found)));
    case "pacman": {
      const installed = await packagesOf("pacman", await installedFiles(found));
      const targets = await pacmanTargets(found, step, context);
      // by version first: what the lock does not have need not be downloaded
      refuse([...installed, ...targets.map((target) => lockedLike(target, locked.packages))]);
      await pacman(found, step, ["--downloadonly"], context);
      const names = new Set(targets.map(({ name, version }) => `${name}-${version}`));
      const files = (await cachedPackages(found.cache, names)).map((name) => join(found.cache, name));
      return refuse(await packagesOf("pacman", files));
    }
  }
}

type PacmanTargets = Extract<CheckLock["found"], { kind: "pacman" }>;

const mark = "berry-target";

/** What pacman would install, in its own words: it is asked with a mark, as it says other things too. */
async function pacmanTargets(
  found: PacmanTargets,
  step: CheckLock,
  context: StepContext,
): Promise<{ name: string; version: string }[]> {
  const said = await pacman(found, step, ["--print", "--print-format", `${mark} %n %v`], context);
  return [...said.matchAll(new RegExp(`^${mark} (\\S+) (\\S+)$`, "gm"))].map(
    ([, name = "", version = ""]) => ({ name, version }),
  );
}

async function pacman(
  found: PacmanTargets,
  { root }: CheckLock,
  words: readonly string[],
  context: StepContext,
): Promise<string> {
  const argv = [...(found.emulated ? ["chroot", root] : []), ...found.argv, ...words];
  const { stdout } = await hostProgram(argv, { env: found.emulated ? imageEnvironment : {} }, context);
  return stdout;
}

/** Of a package whose file is not here yet, only the version can differ. */
function lockedLike(
  { name, version }: { readonly name: string; readonly version: string },
  locked: CheckLock["locked"]["packages"],
): FoundPackage {
  const candidates = locked.filter((each) => each.name === name);
  const same = candidates.find((each) => each.version === version);
  return same ?? { name, version, architecture: candidates[0]?.architecture ?? "any", sha256: null };
}

async function packagesOf(family: "apt" | "pacman", paths: readonly string[]): Promise<FoundPackage[]> {
  const packages: FoundPackage[] = [];
  for (const path of paths) {
    const named = packageOfFile(family, path);
    if (named !== null) packages.push({ ...named, sha256: await sha256Of(path) });
  }
  return packages;
}
