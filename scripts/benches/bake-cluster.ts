import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrdinaryUser } from "../../test/fixtures/ordinary-user.ts";
import { mustRun } from "../../test/fixtures/run.ts";
import { measure, type Measurement } from "./measure.ts";

/** What both sides make of an image, besides its packages. */
export const customisation = {
  user: "bench",
  password: "a password to measure with",
  locale: "en_US.UTF-8",
  timezone: "Asia/Shanghai",
  ssid: "home",
  psk: "a passphrase to measure with",
  country: "CN",
} as const;

/** What starts Wi-Fi where it is set up by hand. */
export const wirelessService = "wpa_supplicant@wlan0.service";

/** A cluster of one node in a folder of the ordinary user's. */
export interface BenchCluster {
  readonly folder: string;
  readonly file: string;
  readonly passwordFile: string;
  readonly pskFile: string;
  readonly image: string;
}

export interface BenchNode {
  readonly name: string;
  readonly password: string;
  readonly target: string;
  readonly packages: readonly string[];
}

/** Writes berry.toml and its secrets into `folder`. */
export async function writeCluster(
  folder: string,
  node: BenchNode,
  user: Pick<OrdinaryUser, "userId" | "groupId">,
): Promise<BenchCluster> {
  const { user: name, locale, timezone, ssid, psk, country } = customisation;
  await mkdir(join(folder, "secret"), { recursive: true });
  const text = `[cluster]
name = "bench"
[image]
target = ${JSON.stringify(node.target)}
timezone = "${timezone}"
locale = "${locale}"
packages = ${JSON.stringify(node.packages)}
[user]
name = "${name}"
password_file = "secret/password"
[ssh]
password_login = true
[wifi]
ssid = "${ssid}"
psk_file = "secret/wifi"
country = "${country}"
[[node]]
name = "${node.name}"
`;
  const files = { "berry.toml": text, "secret/password": node.password, "secret/wifi": psk };
  for (const [path, content] of Object.entries(files)) {
    const place = join(folder, path);
    await writeFile(place, path === "berry.toml" ? content : `${content}\n`, { mode: 0o600 });
    await chown(place, user.userId, user.groupId);
  }
  for (const place of [folder, join(folder, "secret")]) await chown(place, user.userId, user.groupId);
  return {
    folder,
    file: join(folder, "berry.toml"),
    passwordFile: join(folder, "secret/password"),
    pskFile: join(folder, "secret/wifi"),
    image: join(folder, "images", `${node.name}.img`),
  };
}

/** The programs that are measured, compiled from this source. */
export interface BerryBinaries {
  readonly own: string;
  /** For the images. */
  readonly aarch64: string;
}

/** Everything that the parts of the bake bench share. */
export interface BakeBench {
  readonly user: OrdinaryUser;
  readonly berry: BerryBinaries;
  /** A static qemu for arm64. */
  readonly emulator: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Bakes the cluster as the ordinary user. */
export async function measureBerry(
  cluster: BenchCluster,
  cacheDirectory: string,
  bench: BakeBench,
): Promise<Measurement> {
  return await measure(
    {
      argv: [
        bench.berry.own,
        "imager",
        "bake",
        "--json",
        "--file",
        cluster.file,
        "--cache-dir",
        cacheDirectory,
      ],
      cwd: cluster.folder,
      user: bench.user,
    },
    bench.emulator,
    bench.signal,
  );
}

/** Of this process alone: another bench has its own. */
const binfmtEntry = `berry-bench-${process.pid}`;

/** Runs a script of this folder as root, in namespaces of its own, and takes back what it may have left. */
export async function measureOther(
  script: string,
  env: Readonly<Record<string, string>>,
  bench: BakeBench,
): Promise<Measurement> {
  const path = join(import.meta.dirname, script);
  const work = env["WORK"] ?? "/";
  try {
    return await measure(
      {
        argv: ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "bash", path],
        cwd: work,
        env: { ...env, EMULATOR: bench.emulator, BINFMT_ENTRY: binfmtEntry, HOME: work },
      },
      bench.emulator,
      bench.signal,
    );
  } finally {
    await takeBack(env["IMAGE"] ?? "");
  }
}

/** A killed script leaves its loop devices and its entry in the host's binfmt_misc. */
async function takeBack(image: string): Promise<void> {
  const script = `. "$1"; forget_emulator
losetup --noheadings --output NAME --associated "$2" | xargs --no-run-if-empty losetup --detach`;
  const emulator = join(import.meta.dirname, "emulator.sh");
  const argv = ["unshare", "--mount", "--", "bash", "-euc", script, "bash", emulator, image];
  await mustRun(argv, { env: { BINFMT_ENTRY: binfmtEntry } }, new AbortController().signal);
}
