import type { HostFacts } from "../facts/host-facts.ts";
import type { LockedImage } from "../lock/lock.ts";
import type { Chroot, Run, Step } from "../step.ts";
import type { SigningKey } from "../targets/targets.ts";
import type { Target } from "../targets/target.ts";
import { openRoot, upperOf } from "./layer.ts";
import type { LayerPlace } from "./layer.ts";

export type PacmanTarget = Extract<Target, { family: "pacman" }>;

export interface PacmanPlace {
  readonly target: PacmanTarget;
  readonly signingKey: NonNullable<SigningKey>;
  /** Server line; `$arch` and `$repo` stand as pacman reads them. */
  readonly mirror: string;
  readonly facts: HostFacts;
  readonly hash: (text: string) => string;
  /** What may be installed; null: anything. */
  readonly locked: LockedImage | null;
}

export interface PacmanTool {
  readonly emulated: boolean;
  readonly prepare: readonly Step[];
  /** Trusts the keys of the keyring package that the image has now. */
  readonly trust: Step;
  readonly argv: readonly string[];
  readonly call: (argv: readonly string[]) => Run | Chroot;
  /** Compares what a call would install with what is locked, if anything is. */
  readonly check: (argv: readonly string[]) => readonly Step[];
  /** Notes what the layer has, while pacman's cache is at hand. */
  readonly list: Step;
}

const withoutPacman =
  "neither this machine nor the image has pacman: install it here (Arch: pacman; Debian: pacman-package-manager; Fedora: pacman)";

/** What pacman says when a scriptlet failed; it answers 0 nevertheless. */
const scriptletFailed = "^error: command .*failed to execute|^error: command failed";

/**
 * The host's pacman on the image's tree, which emulates scriptlets alone; without one, the image's own.
 * Either has a keyring of its own outside of the image, so that the image gets no master key.
 */
export function pacmanTool(pacman: PacmanPlace, place: LayerPlace): PacmanTool {
  const { root } = place;
  const emulated = pacman.facts.pacmanMajor === null;
  const keyring = pacman.target.pacman.keyring;
  // /run of the image is in memory
  const folder = emulated ? "/run/berry" : `${root}/run/berry`;
  const cache = `${pacman.facts.cacheDirectory}/pacman/${pacman.hash(pacman.mirror).slice(0, 12)}`;
  const argv = [
    "pacman",
    "--config",
    `${folder}/pacman.conf`,
    "--gpgdir",
    `${folder}/gnupg`,
    "--noconfirm",
    "--color",
    "never",
    "--noprogressbar",
    ...(emulated
      ? []
      : [
          "--root",
          root,
          "--dbpath",
          `${root}/var/lib/pacman`,
          "--cachedir",
          cache,
          "--hookdir",
          `${root}/etc/pacman.d/hooks`,
          "--logfile",
          `${root}/var/log/pacman.log`,
        ]),
  ];
  const trust: Step = {
    title: `trust ${keyring}'s keys`,
    do: "pacman-keyring",
    root,
    keyring,
    folder: `${root}/run/berry/gnupg`,
  };
  const prepare: Step[] = [
    openRoot(root),
    {
      title: "configure pacman",
      do: "write",
      root,
      path: "/run/berry/pacman.conf",
      content: pacmanConf(pacman),
      mode: 0o644,
      owner: "0:0",
    },
    trust,
    ...(emulated ? [] : [{ title: "prepare pacman", do: "run", argv: ["mkdir", "-p", cache] } as const]),
  ];
  const call = (words: readonly string[]) =>
    emulated
      ? ({
          do: "chroot",
          root,
          argv: [...argv, ...words],
          warnAbout: scriptletFailed,
          missingHint: withoutPacman,
        } as const)
      : ({ do: "run", argv: [...argv, ...words], warnAbout: scriptletFailed } as const);
  // what is emulated keeps its packages in the image, until it is swept
  const installed = { cache: emulated ? `${root}/var/cache/pacman/pkg` : cache, upper: upperOf(place) };
  const { locked } = pacman;
  const check = (words: readonly string[]): Step[] =>
    locked === null
      ? []
      : [
          {
            title: "download packages, and compare them with the lock",
            do: "check-lock",
            root,
            locked,
            found: { kind: "pacman", argv: [...argv, ...words], emulated, ...installed },
          },
        ];
  const list: Step = {
    title: "note the packages",
    do: "list-software",
    root,
    database: "pacman",
    files: { kind: "pacman", ...installed },
    into: place.work,
  };
  return { emulated, prepare, trust, argv, call, check, list };
}

/** A mirror's address alone will do: below it, all mirrors look the same. */
export function serverOf({ mirror }: PacmanPlace): string {
  return mirror.includes("$repo") ? mirror : `${mirror.replace(/\/+$/, "")}/$arch/$repo`;
}

function pacmanConf(pacman: PacmanPlace): string {
  const { target, facts } = pacman;
  return [
    "[options]",
    `Architecture = ${target.architecture}`,
    "SigLevel = Required DatabaseOptional",
    "LocalFileSigLevel = Optional",
    "ParallelDownloads = 5",
    // Landlock and the download user are of no use in a namespace, and qemu-user knows neither; pacman has them since 7
    ...(facts.pacmanMajor === null || facts.pacmanMajor >= 7 ? ["DisableSandbox"] : []),
    ...target.pacman.repositories.flatMap((repository) => [
      "",
      `[${repository}]`,
      `Server = ${serverOf(pacman)}`,
    ]),
    "",
  ].join("\n");
}
