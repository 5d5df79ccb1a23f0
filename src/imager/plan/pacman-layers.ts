import type { HostFacts } from "../host-facts.ts";
import type { Chroot, Download, Run, Step } from "../step.ts";
import type { SigningKey } from "../targets.ts";
import type { Target } from "../target.ts";
import { openRoot } from "./layer.ts";
import type { LayerPlace } from "./layer.ts";

export type PacmanTarget = Extract<Target, { family: "pacman" }>;

export interface PacmanPlace {
  readonly target: PacmanTarget;
  readonly signingKey: NonNullable<SigningKey>;
  /** Server line; `$arch` and `$repo` stand as pacman reads them. */
  readonly mirror: string;
  readonly facts: HostFacts;
  readonly hash: (text: string) => string;
}

/** The distribution's tarball: downloaded, verified, unpacked with owners and attributes. */
export function rootfsSteps(pacman: PacmanPlace, place: LayerPlace): Step[] {
  const { rootfs } = pacman.target;
  const name = new URL(rootfs.url).pathname.split("/").at(-1) ?? "rootfs.tar.gz";
  const tarball = `${pacman.facts.cacheDirectory}/downloads/${pacman.hash(rootfs.url).slice(0, 12)}-${name}`;
  const download: Download = {
    do: "download",
    url: rootfs.url,
    to: tarball,
    signature: {
      url: rootfs.signature_url ?? `${rootfs.url}.sig`,
      fingerprint: rootfs.signing_key,
      publicKey: pacman.signingKey,
    },
  };
  return [
    { title: `download and verify ${name}`, ...download },
    {
      title: `unpack ${name}`,
      do: "run",
      argv: [
        "bsdtar",
        "--extract",
        "--file",
        tarball,
        "--directory",
        place.root,
        "--preserve-permissions",
        "--acls",
        "--xattrs",
        "--numeric-owner",
      ],
    },
  ];
}

/**
 * The target's packages and kernel on top of the tarball. What is replaced goes first, so that its hooks do not run
 * for nothing; then one transaction does the rest, so that emulated hooks run once.
 */
export function pacmanSystemSteps(pacman: PacmanPlace, place: LayerPlace): Step[] {
  const { packages, pacman: source } = pacman.target;
  const { root } = place;
  const tool = pacmanTool(pacman, place);
  const keyringPackage = `${source.keyring}-keyring`;
  return [
    ...tool.prepare,
    { title: "update the keyring", ...tool.call(["--sync", "--refresh", "--needed", keyringPackage]) },
    tool.trust,
    ...(packages.remove.length === 0
      ? []
      : [
          {
            title: `remove ${packages.remove.join(", ")}`,
            do: "remove-packages",
            root,
            packages: packages.remove,
            argv: [...tool.argv, "--remove", "--nodeps", "--nodeps"],
            emulated: tool.emulated,
          } as const,
        ]),
    {
      title: "upgrade the system and install its packages",
      ...tool.call([
        "--sync",
        "--sysupgrade",
        "--needed",
        ...packages.base,
        ...packages.wifi,
        ...packages.kernel,
      ]),
    },
    // what pacman asks afterwards, on the Pi; the default is in the mirror list already
    ...(pacman.mirror === source.mirror
      ? []
      : [
          {
            title: "name the mirror",
            do: "write",
            root,
            path: "/etc/pacman.d/mirrorlist",
            content: `Server = ${serverOf(pacman)}\n`,
            mode: 0o644,
            owner: "0:0",
          } as const,
        ]),
    sweep(root),
  ];
}

/** Further packages, on top of the system. */
export function pacmanPackageSteps(
  pacman: PacmanPlace,
  place: LayerPlace,
  packages: readonly string[],
): Step[] {
  const tool = pacmanTool(pacman, place);
  return [
    ...tool.prepare,
    {
      title: `install ${packages.join(", ")}`,
      ...tool.call(["--sync", "--refresh", "--needed", ...packages]),
    },
    sweep(place.root),
  ];
}

interface PacmanTool {
  readonly emulated: boolean;
  readonly prepare: readonly Step[];
  /** Trusts the keys of the keyring package that the image has now. */
  readonly trust: Step;
  readonly argv: readonly string[];
  readonly call: (argv: readonly string[]) => Run | Chroot;
}

const withoutPacman =
  "neither this machine nor the image has pacman: install it here (Arch: pacman; Debian: pacman-package-manager; Fedora: pacman)";

/** What pacman says when a scriptlet failed; it answers 0 nevertheless. */
const scriptletFailed = "^error: command .*failed to execute|^error: command failed";

/**
 * The host's pacman on the image's tree, which emulates scriptlets alone; without one, the image's own.
 * Either has a keyring of its own outside of the image, so that the image gets no master key.
 */
function pacmanTool(pacman: PacmanPlace, place: LayerPlace): PacmanTool {
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
  return { emulated, prepare, trust, argv, call };
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

/** A mirror's address alone will do: below it, all mirrors look the same. */
function serverOf({ mirror }: PacmanPlace): string {
  return mirror.includes("$repo") ? mirror : `${mirror.replace(/\/+$/, "")}/$arch/$repo`;
}

function sweep(root: string): Step {
  return {
    title: "sweep",
    do: "remove",
    root,
    paths: [
      "/var/cache/pacman/pkg/*",
      "/var/lib/pacman/sync/*",
      "/var/log/pacman.log",
      "/etc/machine-id",
      "/var/lib/systemd/random-seed",
      // it knows files by the numbers of their inodes here
      "/var/cache/ldconfig/aux-cache",
    ],
  };
}
