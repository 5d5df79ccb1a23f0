import type { FailureKind } from "../../core/errors.ts";
import { BerryError } from "../../core/errors.ts";
import type { CommandResult } from "../../core/ports.ts";

interface Cause {
  readonly says: RegExp;
  readonly kind: FailureKind;
  readonly message: (program: string, matches: readonly string[]) => string;
  readonly hint: string;
}

/** What programs say of causes that are not their own, the surest first. */
const causes: readonly Cause[] = [
  {
    says: /No space left on device|Could not allocate block|not enough free disk space/i,
    kind: "cannot-create",
    message: (program) => `the disk is full: ${program} cannot write`,
    hint: "free some space, or move the cache with --cache-dir and the images with image.output",
  },
  {
    says: /^error: target not found: (\S+)/gm,
    kind: "config",
    message: (_, names) =>
      `no repository has ${names.length === 1 ? "the package" : "the packages"} ${names.join(", ")}`,
    hint: "correct the names in berry.toml: packages",
  },
  {
    says: /^E: (?:Unable to locate package|Package '?) ?(\S+?)'?(?: has no installation candidate)?$/gm,
    kind: "config",
    message: (_, names) =>
      `no repository has ${names.length === 1 ? "the package" : "the packages"} ${names.join(", ")}`,
    hint: "correct the names in berry.toml: image.packages",
  },
  {
    says: /^Failed to (?:enable|disable) unit,? ?:? ?(?:unit|Unit file) (\S+) does not exist/gm,
    kind: "config",
    message: (_, names) => `the image has no unit ${names.join(", ")}`,
    hint: "correct image.services in berry.toml, or add the package that brings it to image.packages",
  },
  {
    says: /^(?:\[error\] )?cannot open locale definition file [`'](\S+?)'/gm,
    kind: "config",
    message: (_, names) => `the image knows no locale ${names.join(", ")}`,
    hint: "correct image.locale or image.locales in berry.toml, such as en_US.UTF-8",
  },
  {
    says: /^error: (\S+: .*(?:is disabled|is (?:unknown|marginal|never) trust|is invalid|is expired|required key missing).*)/gm,
    kind: "bad-data",
    message: (_, found) => `a package is not signed by anyone whom the image trusts: ${found.join("; ")}`,
    hint: "do not install it: try again with another mirror (image.mirror), or later",
  },
  {
    says: /invalid or corrupted (?:package|database)/i,
    kind: "bad-data",
    message: (program) => `${program} received something that is damaged`,
    hint: "try again, and if that does not help, use another mirror (image.mirror in berry.toml)",
  },
  {
    says: /could not resolve|Temporary failure resolving|Failed to fetch|failed retrieving file|failed to synchronize/i,
    kind: "unavailable",
    message: (program) => `${program} cannot download what it needs`,
    hint: "check the network and the mirror (image.mirror in berry.toml), then run the bake again: what was downloaded is kept",
  },
];

/** The failure of a program that ended with another exit code than 0, sorted by what it said. Pure. */
export function programFailure(argv: readonly string[], result: CommandResult): BerryError {
  const program = nameOf(argv);
  const said = `${result.stdout}\n${result.stderr}`;
  for (const { says, kind, message, hint } of causes) {
    if (said.search(says) === -1) continue;
    const matches = [
      ...new Set(Array.from(said.matchAll(new RegExp(says, "gim")), (match) => match[1] ?? match[0])),
    ];
    return new BerryError(kind, withLastLines(message(program, matches), said), { hint });
  }
  return new BerryError(
    "software",
    withLastLines(`${program} failed with exit code ${result.exitCode}`, said),
    {
      hint: "run again with --verbose to see all that it said",
    },
  );
}

/** The failure of the user's own script, which lies at `path` on the host. */
export function scriptFailure(path: string, { exitCode, stdout, stderr }: CommandResult): BerryError {
  return new BerryError(
    "config",
    withLastLines(`${path} failed with exit code ${exitCode}`, `${stdout}\n${stderr}`),
    {
      hint: "correct the script: it runs as root in the image, and has to end with exit code 0",
    },
  );
}

function nameOf([program = "", , inner = ""]: readonly string[]): string {
  return program === "chroot" ? `${inner} in the image` : program;
}

function withLastLines(message: string, said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  return [message, ...lines.slice(-12).map((line) => `  ${line}`)].join("\n");
}
