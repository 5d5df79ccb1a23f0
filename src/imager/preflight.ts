import type { Cluster, Node } from "../config/cluster.ts";
import { BerryError } from "../core/errors.ts";
import { formatBytes, GiB, MiB } from "../core/units.ts";
import { kernelHasOwnBinfmt, needsEmulation } from "./facts/host-facts.ts";
import type { HostFacts } from "./facts/host-facts.ts";
import { installCommands, type Need } from "./install-command.ts";
import { makesOverlays } from "./plan/fan-steps.ts";
import type { Target } from "./targets/target.ts";

export interface Problem {
  readonly what: string;
  readonly remedy: string;
  /** What has to be installed, where that is the remedy. */
  readonly needs?: readonly Need[];
}

const always: readonly Need[] = [
  { program: "unshare", debian: "util-linux", arch: "util-linux", fedora: "util-linux" },
  { program: "setpriv", debian: "util-linux", arch: "util-linux", fedora: "util-linux" },
  { program: "flock", debian: "util-linux", arch: "util-linux", fedora: "util-linux" },
  { program: "mount", debian: "mount", arch: "util-linux", fedora: "util-linux" },
  { program: "sfdisk", debian: "fdisk", arch: "util-linux", fedora: "util-linux" },
  { program: "mke2fs", debian: "e2fsprogs", arch: "e2fsprogs", fedora: "e2fsprogs" },
  { program: "debugfs", debian: "e2fsprogs", arch: "e2fsprogs", fedora: "e2fsprogs" },
  { program: "tune2fs", debian: "e2fsprogs", arch: "e2fsprogs", fedora: "e2fsprogs" },
  { program: "mkfs.vfat", debian: "dosfstools", arch: "dosfstools", fedora: "dosfstools" },
  { program: "mcopy", debian: "mtools", arch: "mtools", fedora: "mtools" },
  { program: "find", debian: "findutils", arch: "findutils", fedora: "findutils" },
  { program: "systemctl", debian: "systemd", arch: "systemd", fedora: "systemd" },
];
const asUser: readonly Need[] = [
  { program: "newuidmap", debian: "uidmap", arch: "shadow", fedora: "shadow-utils" },
  { program: "newgidmap", debian: "uidmap", arch: "shadow", fedora: "shadow-utils" },
];
const ofFamily: Readonly<Record<Target["family"], readonly Need[]>> = {
  apt: [
    { program: "apt-get", debian: "apt", arch: "apt", fedora: "apt" },
    { program: "dpkg", debian: "dpkg", arch: "dpkg", fedora: "dpkg" },
    { program: "dpkg-deb", debian: "dpkg", arch: "dpkg", fedora: "dpkg" },
  ],
  pacman: [
    { program: "bsdtar", debian: "libarchive-tools", arch: "libarchive", fedora: "bsdtar" },
    { program: "gpg", debian: "gpg", arch: "gnupg", fedora: "gnupg2" },
  ],
};
const forHostKeys: Need = {
  program: "ssh-keygen",
  debian: "openssh-client",
  arch: "openssh",
  fedora: "openssh",
};
const forOverlays: Need = { program: "dtc", debian: "device-tree-compiler", arch: "dtc", fedora: "dtc" };
const emulator: Need = {
  program: "qemu-aarch64-static",
  debian: "qemu-user-static",
  arch: "qemu-user-static",
  fedora: "qemu-user-static-aarch64",
};
const debianKeyring: Need = {
  program: "/usr/share/keyrings/debian-archive-keyring.gpg",
  debian: "debian-archive-keyring",
  arch: "debian-archive-keyring",
  fedora: "debian-keyring",
};

/** All that any bake may need, as scripts/packages lists it too. */
export const everyNeed: readonly Need[] = [
  ...always,
  ...asUser,
  ...Object.values(ofFamily).flat(),
  forHostKeys,
  forOverlays,
  emulator,
];

/** Everything that keeps this machine from baking, found before the first step. Pure. */
export function preflight(
  cluster: Cluster,
  nodes: readonly Node[],
  target: Target,
  facts: HostFacts,
): Problem[] {
  return [
    ...missingPrograms(nodes, target, facts),
    ...emulation(facts),
    ...namespaces(facts),
    ...keyrings(target, facts),
    ...disks(nodes, facts),
    ...berry(facts),
    ...(nodes.length === 0 ? [{ what: `${cluster.file} names no node`, remedy: "add a [[node]]" }] : []),
  ];
}

/** @throws BerryError `unavailable` that names all problems with their remedies */
export function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ what, remedy }) => `  ${what}\n    ${remedy.replaceAll("\n", "\n    ")}`);
  throw new BerryError("unavailable", `this machine cannot bake yet:\n${lines.join("\n")}`);
}

function missingPrograms(nodes: readonly Node[], target: Target, facts: HostFacts): Problem[] {
  const needs = [
    ...always,
    ...(facts.isRoot ? [] : asUser),
    ...ofFamily[target.family],
    ...(nodes.some(({ ssh }) => ssh.hostKeys !== null) ? [forHostKeys] : []),
    ...(nodes.some((node) => makesOverlays(node, target)) ? [forOverlays] : []),
  ];
  const missing = needs.filter(({ program }) => facts.programs[program] === undefined);
  if (needsEmulation(facts) && facts.emulators.length === 0) missing.push(emulator);
  if (missing.length === 0) return [];
  return [
    {
      what: `missing: ${missing.map(({ program }) => program).join(", ")}`,
      remedy: installCommands(missing),
      needs: missing,
    },
  ];
}

function emulation(facts: HostFacts): Problem[] {
  if (!needsEmulation(facts) || kernelHasOwnBinfmt(facts) || facts.hostHandler !== null) return [];
  return [
    {
      what: `Linux ${facts.kernel.release} cannot emulate arm64 in a namespace of its own (6.7 and later can), and the host has no arm64 handler with flag F`,
      remedy:
        "install qemu-user-static together with its binfmt handlers (Debian: qemu-user-static; Arch: qemu-user-static-binfmt; Fedora: qemu-user-static), or a newer kernel",
    },
  ];
}

function namespaces(facts: HostFacts): Problem[] {
  const problems: Problem[] = [];
  if (facts.userNamespaces === "blocked-by-apparmor" && !facts.isRoot) {
    problems.push({
      what: "AppArmor blocks unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)",
      remedy:
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\nto keep it: echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/60-userns.conf",
    });
  }
  if (facts.userNamespaces === "disabled") {
    problems.push({
      what: "user namespaces are switched off",
      remedy:
        "sudo sysctl -w user.max_user_namespaces=10000; where it exists, also: sudo sysctl -w kernel.unprivileged_userns_clone=1",
    });
  }
  const { users, groups, firstFree } = facts.subordinateIds;
  const range = `${firstFree}-${firstFree + 65_535}`;
  if (!facts.isRoot && (users < 65_536 || groups < 65_536)) {
    problems.push({
      what: `${facts.userName} has ${users} subordinate user ids and ${groups} group ids, and an image needs 65536 of each`,
      remedy: `sudo usermod --add-subuids ${range} --add-subgids ${range} ${facts.userName}`,
    });
  }
  return problems;
}

function keyrings(target: Target, facts: HostFacts): Problem[] {
  if (target.family !== "apt" || facts.keyrings.includes(target.apt.keyring)) return [];
  return [
    {
      what: `no /usr/share/keyrings/${target.apt.keyring}, without which Debian's packages cannot be verified`,
      remedy: "install debian-archive-keyring (Arch, Debian: debian-archive-keyring; Fedora: debian-keyring)",
      ...(debianKeyring.program.endsWith(`/${target.apt.keyring}`) ? { needs: [debianKeyring] } : {}),
    },
  ];
}

/** A first bake unpacks the system and packs it; an image is written beside. */
const firstBakeBytes = 4 * GiB;

/** What an image takes of its own where it shares all else with the packed one, with room for large secret files. */
const sharedImageBytes = 64 * MiB;

function disks(nodes: readonly Node[], facts: HostFacts): Problem[] {
  const { cacheDisk, outputDisk } = facts;
  const problems: Problem[] = [];
  if (!cacheDisk.keepsAttributes) {
    problems.push({
      what: `${cacheDisk.directory} lies on ${cacheDisk.fileSystem}, which keeps no extended attributes`,
      remedy: "choose a folder on ext4, btrfs or xfs with --cache-dir",
    });
  }
  const needed = facts.cachedLayers.some((name) => name.startsWith("image-")) ? GiB : firstBakeBytes;
  if (cacheDisk.freeBytes < needed) {
    problems.push({
      what: `${cacheDisk.directory} has ${formatBytes(cacheDisk.freeBytes)} free, and a bake needs about ${formatBytes(needed)}`,
      remedy: "free some space, run `berry imager clean`, or choose another folder with --cache-dir",
    });
  }
  const images = nodes.length * (facts.imagesShareBlocks ? sharedImageBytes : GiB);
  if (outputDisk.freeBytes < images) {
    problems.push({
      what: `${outputDisk.directory} has ${formatBytes(outputDisk.freeBytes)} free, and ${nodes.length === 1 ? "one image needs" : `${nodes.length} images need`} about ${formatBytes(images)}`,
      remedy: "free some space, or set image.output in berry.toml",
    });
  }
  return problems;
}

function berry(facts: HostFacts): Problem[] {
  if (facts.berry !== null) return [];
  return [
    {
      what: "no berry for the image: there is no berry-aarch64 beside the running program",
      remedy:
        "name one of the same release with --berry PATH (for Arch Linux ARM berry-VERSION-1-aarch64.pkg.tar.zst; for all: usr/bin/berry of berry-VERSION-aarch64.tar.xz), or build both with scripts/build",
    },
  ];
}
