import type { BerryFile, BerryPackage, HostFacts } from "../host-facts.ts";
import type { LockedImage } from "../lock/lock.ts";
import type { Chroot, Download, Run, Step } from "../step.ts";
import type { SigningKey } from "../targets.ts";
import type { Target } from "../target.ts";
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
    ...(pacman.locked === null
      ? []
      : [
          {
            title: "compare the tarball with the lock",
            do: "check-lock",
            root: place.root,
            locked: pacman.locked,
            found: { kind: "tarball", path: tarball, ...tarballOf(pacman.target) },
          } as const,
        ]),
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
    {
      title: "note what came in the tarball",
      do: "list-software",
      root: place.root,
      database: "pacman",
      files: { kind: "file", path: tarball },
      into: place.work,
    },
  ];
}

/** The tarball as berry.lock and software lists name it: files that others may read. */
export function tarballOf({ rootfs }: PacmanTarget): { readonly url: string; readonly signingKey: string } {
  const url = new URL(rootfs.url);
  url.username = "";
  url.password = "";
  return { url: url.href, signingKey: rootfs.signing_key };
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
  const upgrade = [
    "--sync",
    "--sysupgrade",
    "--needed",
    ...packages.base,
    ...packages.wifi,
    ...packages.kernel,
  ];
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
    ...tool.check(upgrade),
    { title: "upgrade the system and install its packages", ...tool.call(upgrade) },
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
    tool.list,
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
    ...tool.check(["--sync", "--refresh", "--needed", ...packages]),
    {
      title: `install ${packages.join(", ")}`,
      ...tool.call(["--sync", "--refresh", "--needed", ...packages]),
    },
    tool.list,
    sweep(place.root),
  ];
}

/** Berry's own package, from a file of the host. */
export function berryPackageSteps(
  pacman: PacmanPlace,
  { path, sha256 }: BerryFile,
  found: BerryPackage,
): (place: LayerPlace) => Step[] {
  // as pacman names files, whatever the user's is called: its digest is looked up by this name; /run is in memory
  const copy = `/run/berry/berry-${found.version}-${found.architecture}.pkg.tar.${found.ending}`;
  return (place: LayerPlace): Step[] => {
    const { root } = place;
    const tool = pacmanTool(pacman, place);
    return [
      ...tool.prepare,
      {
        title: "lend the image berry's package",
        do: "copy",
        source: path,
        sha256,
        root,
        path: copy,
        mode: 0o644,
        owner: "0:0",
      },
      {
        title: `install berry ${found.version}`,
        ...tool.call(["--upgrade", tool.emulated ? copy : `${root}${copy}`]),
      },
      {
        title: "note the packages",
        do: "list-software",
        root,
        database: "pacman",
        files: { kind: "file", path: `${root}${copy}` },
        into: place.work,
      },
      sweep(root),
    ];
  };
}

interface PacmanTool {
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
