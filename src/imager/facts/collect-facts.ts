import { access, constants, readFile, readdir } from "node:fs/promises";
import { release, userInfo } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../config/cluster.ts";
import type { CommandRunner } from "../../core/ports.ts";
import { elfMachine, isDynamic } from "../formats/elf.ts";
import { berryForImage } from "./collect-berry.ts";
import { head, sha256Of } from "./digest-file.ts";
import { diskFacts, shareBlocks } from "./collect-disk.ts";
import { debianMirror } from "./collect-mirror.ts";
import type { HostFacts, UserNamespaces } from "./host-facts.ts";
import { hostKeyTypesOf } from "../host-keys-file.ts";
import { intactLayers } from "../layer-record-file.ts";
import { parseSourceDateEpoch } from "../source-date-epoch.ts";
import { subordinateIds } from "./subordinate-ids.ts";
import type { Target } from "../targets/target.ts";

export interface FactsRequest {
  readonly cluster: Cluster;
  /** Of the target: Debian's mirror is asked for where it is needed. */
  readonly family: Target["family"];
  readonly cacheDirectory: string;
  /** The berry to put into images, if the user named one. */
  readonly berry: string | null;
  /** The running berry: a compiled program, or bun when berry runs from source. */
  readonly ownProgram: string;
  /** As process.arch says. */
  readonly ownArchitecture: string;
  readonly path: string;
  /** The environment's SOURCE_DATE_EPOCH. */
  readonly sourceDateEpoch: string | undefined;
}

/** All that preflight may ask for. */
export const soughtPrograms: readonly string[] = [
  "unshare",
  "setpriv",
  "flock",
  "mount",
  "sfdisk",
  "mke2fs",
  "debugfs",
  "tune2fs",
  "mkfs.vfat",
  "mcopy",
  "find",
  "systemctl",
  "newuidmap",
  "newgidmap",
  "apt-get",
  "dpkg",
  "dpkg-deb",
  "bsdtar",
  "gpg",
  "pacman",
  "localedef",
  "ssh-keygen",
  "dtc",
];
const emulatorNames = ["qemu-aarch64-static", "qemu-aarch64"];

/** Looks at this machine; changes nothing. */
export async function collectFacts(
  request: FactsRequest,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<HostFacts> {
  const sourceDateEpoch = parseSourceDateEpoch(request.sourceDateEpoch, Date.now() / 1000);
  const folders = [...new Set([...request.path.split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"])].filter(
    (folder) => folder.startsWith("/"),
  );
  const found = await findPrograms(folders);
  const { uid } = userInfo();
  const username = await nameOfUser(uid);
  const kernelRelease = release();
  const [major = "0", minor = "0"] = kernelRelease.split(".");
  // what asks programs or reads much goes on at the same time
  const [emulators, pacman, mke2fs, mirror, berry, fileDigests] = await Promise.all([
    staticEmulators(folders),
    found["pacman"] === undefined ? null : pacmanMajor(found["pacman"], runner, signal),
    found["mke2fs"] === undefined ? null : mke2fsVersion(found["mke2fs"], runner, signal),
    request.family === "apt" ? debianMirror(found["apt-get"], runner, signal) : null,
    berryForImage(request, found["bsdtar"], runner, signal),
    digests(request.cluster),
  ]);
  return {
    architecture:
      request.ownArchitecture === "arm64"
        ? "aarch64"
        : request.ownArchitecture === "x64"
          ? "x86_64"
          : request.ownArchitecture,
    kernel: { release: kernelRelease, major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10) },
    isRoot: uid === 0,
    userName: username,
    programs: found,
    emulators,
    hostHandler: await hostHandler(),
    subordinateIds: subordinateIds(
      await readFile("/etc/subuid", "utf8").catch(() => ""),
      await readFile("/etc/subgid", "utf8").catch(() => ""),
      { name: username, uid },
    ),
    userNamespaces: await userNamespaces(),
    pacmanMajor: pacman,
    mke2fsVersion: mke2fs,
    cacheDirectory: request.cacheDirectory,
    cachedLayers: await intactLayers(join(request.cacheDirectory, "layers")),
    cacheDisk: await diskFacts(request.cacheDirectory),
    outputDisk: await diskFacts(request.cluster.outputDirectory),
    imagesShareBlocks: await shareBlocks(request.cacheDirectory, request.cluster.outputDirectory),
    debianMirror: mirror,
    keyrings: await readdir("/usr/share/keyrings").catch(() => []),
    berry,
    sourceDateEpoch,
    digests: fileDigests,
    hostKeys: await hostKeyTypesOf(request.cluster.nodes),
  };
}

async function findPrograms(folders: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of soughtPrograms) {
    const path = await findExecutable(name, folders);
    if (path !== null) found[name] = path;
  }
  return found;
}

async function findExecutable(name: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

/** binfmt_misc opens the emulator once and runs it in the chroot: it must not need the host's libraries there. */
async function staticEmulators(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of emulatorNames) {
    const path = await findExecutable(name, folders);
    if (path === null) continue;
    const start = await head(path);
    // a script, such as a wrapper, has no architecture
    if (elfMachine(start) !== null && !isDynamic(start)) found.push(path);
  }
  return found;
}

/** An enabled handler of the host's for arm64 whose interpreter is held open. */
async function hostHandler(): Promise<string | null> {
  const folder = "/proc/sys/fs/binfmt_misc";
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    const interpreter = /^interpreter (.+)$/m.exec(text)?.[1];
    const isArm64 = /^magic 7f454c460201010000000000000000000200b7/m.test(text);
    if (interpreter !== undefined && isArm64 && /^enabled$/m.test(text) && /^flags: .*F/m.test(text))
      return interpreter;
  }
  return null;
}

/** By passwd(5): Bun takes the name from the environment, which need not have it. */
async function nameOfUser(uid: number): Promise<string> {
  const lines = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n");
  return (
    lines.map((line) => line.split(":")).find(([, , id]) => id === String(uid))?.[0] ?? userInfo().username
  );
}

async function userNamespaces(): Promise<UserNamespaces> {
  const value = async (name: string): Promise<string> =>
    (await readFile(`/proc/sys/${name}`, "utf8").catch(() => "")).trim();
  if ((await value("kernel/apparmor_restrict_unprivileged_userns")) === "1") return "blocked-by-apparmor";
  if ((await value("kernel/unprivileged_userns_clone")) === "0") return "disabled";
  if ((await value("user/max_user_namespaces")) === "0") return "disabled";
  return "allowed";
}

async function pacmanMajor(
  pacman: string,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<number | null> {
  const { stdout } = await runner.run([pacman, "--version"], { env: { LC_ALL: "C" } }, signal);
  const major = /Pacman v(\d+)\./.exec(stdout)?.[1];
  return major === undefined ? null : Number(major);
}

async function mke2fsVersion(
  mke2fs: string,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<string | null> {
  const { stderr } = await runner.run([mke2fs, "-V"], { env: { LC_ALL: "C" } }, signal);
  return /^mke2fs (\d+\.\d+(?:\.\d+)?)/m.exec(stderr)?.[1] ?? null;
}

async function digests(cluster: Cluster): Promise<Record<string, string>> {
  const paths = cluster.nodes.flatMap(({ image }) => [
    ...image.files.map(({ source }) => source),
    ...(image.script === null ? [] : [image.script]),
  ]);
  const known: Record<string, string> = {};
  for (const path of new Set(paths)) known[path] = await sha256Of(path);
  return known;
}
