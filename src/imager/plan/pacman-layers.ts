import type { BerryFile, BerryPackage } from "../facts/host-facts.ts";
import type { Download, Step } from "../step.ts";
import type { LayerPlace } from "./layer.ts";
import { pacmanTool, serverOf } from "./pacman-tool.ts";
import type { PacmanPlace, PacmanTarget } from "./pacman-tool.ts";

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
