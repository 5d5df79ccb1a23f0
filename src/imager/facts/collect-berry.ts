import { basename, dirname, join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import type { CommandRunner } from "../../core/ports.ts";
import { elfMachine } from "../formats/elf.ts";
import { head, sha256Of } from "./digest-file.ts";
import type { BerryFile, BerryPackage } from "./host-facts.ts";
import type { Target } from "../targets/target.ts";

interface BerryRequest {
  /** What the user named. */
  readonly berry: string | null;
  readonly family: Target["family"];
  readonly ownProgram: string;
  /** As process.arch says. */
  readonly ownArchitecture: string;
}

/**
 * `--berry`, else berry-aarch64 beside the running program, else the program itself on an arm64 host. A package is taken
 * where the user names it alone: one that lies beside the program may be another version's.
 * @throws BerryError when what the user named is no berry for the target
 */
export async function berryForImage(
  request: BerryRequest,
  bsdtar: string | undefined,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<BerryFile | null> {
  const { berry: named, family, ownProgram, ownArchitecture } = request;
  if (named !== null && packageName.test(named)) {
    const found = await berryPackage(named, family, bsdtar, runner, signal);
    return { path: named, sha256: await sha256Of(named), package: found };
  }
  const candidates =
    named === null
      ? [join(dirname(ownProgram), "berry-aarch64"), ...(ownArchitecture === "arm64" ? [ownProgram] : [])]
      : [named];
  for (const path of candidates) {
    const machine = await head(path).then(elfMachine, () => "missing");
    if (machine === "aarch64") return { path, sha256: await sha256Of(path), package: null };
    if (named === null) continue;
    if (machine === "missing") throw unreadable(path);
    throw new BerryError("bad-data", `--berry ${path} is no program for arm64: ${machine ?? "no ELF file"}`, {
      hint: `name the berry-aarch64 that scripts/build makes${family === "pacman" ? ", or a release's package for aarch64" : ""}`,
    });
  }
  return null;
}

const packageName = /\.pkg\.tar\.(\w+)$/;

async function berryPackage(
  path: string,
  family: Target["family"],
  bsdtar: string | undefined,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<BerryPackage> {
  if (family !== "pacman")
    throw new BerryError("usage", `--berry ${path} is a package for pacman, which the target does not have`, {
      hint: "name the program itself: the berry-aarch64 that scripts/build makes, or usr/bin/berry of a release's archive for aarch64",
    });
  await head(path).catch(() => {
    throw unreadable(path);
  });
  const ending = packageName.exec(path)?.[1] ?? "";
  if (bsdtar === undefined)
    throw new BerryError(
      "unavailable",
      `--berry ${path} is a package, and bsdtar, which reads it, is not here`,
      {
        hint: "install it (Arch: libarchive; Debian: libarchive-tools; Fedora: bsdtar)",
      },
    );
  const { exitCode, stdout } = await runner.run(
    [bsdtar, "--extract", "--to-stdout", "--fast-read", "--file", path, ".PKGINFO"],
    { env: { LC_ALL: "C" } },
    signal,
  );
  const value = (key: string): string | undefined => new RegExp(`^${key} = (.+)$`, "m").exec(stdout)?.[1];
  const [name, version, architecture] = ["pkgname", "pkgver", "arch"].map(value);
  const refuse = (found: string): BerryError =>
    new BerryError("bad-data", `--berry ${path} is no package of berry for arm64: ${found}`, {
      hint: "name a release's berry-VERSION-1-aarch64.pkg.tar.zst",
    });
  if (exitCode !== 0 || name === undefined || version === undefined)
    throw refuse(`${basename(path)} has no .PKGINFO that could be read`);
  if (name !== "berry") throw refuse(`it is ${name}`);
  if (!/^[\w.:+~]+-[\w.]+$/.test(version)) throw refuse(`its version is ${version}`);
  if (architecture !== "aarch64") throw refuse(`it is for ${architecture ?? "nothing"}`);
  return { version, architecture, ending };
}

function unreadable(path: string): BerryError {
  return new BerryError("no-input", `cannot read --berry ${path}`, {
    hint: "name the berry-aarch64 that scripts/build makes",
  });
}
