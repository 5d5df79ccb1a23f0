import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archTarget } from "../../test/fixtures/arch-target.ts";
import { serveArch } from "../../test/fixtures/arch-server.ts";
import { makeArchFixture, makeBigPackages } from "../../test/fixtures/archlinuxarm.ts";
import { targetSchema } from "../../src/imager/targets/target.ts";
import type { BakeBench, BenchCluster } from "./bake-cluster.ts";
import { customisation, measureBerry, measureOther, wirelessService, writeCluster } from "./bake-cluster.ts";
import type { Figure } from "./figures.ts";
import { compareImages, readImage } from "./image-content.ts";
import { figuresOf, type Measurement } from "./measure.ts";

const node = "pi1";

/** Arch Linux ARM in the making: served on loopback, with a cluster that asks for it. */
export interface ArchBench extends AsyncDisposable {
  readonly scratch: string;
  readonly target: string;
  readonly packages: readonly string[];
  /** What the other way is told, in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function openArchBench(megabytes: number, bench: BakeBench): Promise<ArchBench> {
  const { user, signal } = bench;
  const fixture = await makeArchFixture({ pacman: true }, signal);
  const big = await makeBigPackages(fixture, megabytes, signal);
  await using resources = new AsyncDisposableStack();
  const server = resources.use(await serveArch(fixture, [big]));
  const scratch = await mkdtemp("/var/tmp/berry-");
  resources.defer(async () => await rm(scratch, { recursive: true, force: true }));
  await chown(scratch, user.userId, user.groupId);
  const targetFolder = join(scratch, "target");
  await mkdir(targetFolder);
  const file = await archTarget(fixture, server, targetFolder);
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text.replace(/^repositories = \[/m, (line) => `${line}"bench", `),
  );
  const target = targetSchema.parse(Bun.TOML.parse(await readFile(file, "utf8")));
  if (target.family !== "pacman") throw new Error(`not a pacman target: ${target.family}`);
  const { base, wifi, kernel, remove } = target.packages;
  const taken = resources.move();
  return {
    scratch,
    target: file,
    packages: big.names,
    environment: {
      TARBALL_URL: server.tarballUrl,
      SIGNING_KEY: join(targetFolder, "builder.asc"),
      KEYRING: target.pacman.keyring,
      MIRROR: server.mirror,
      BOOT_MIB: String(target.boot.size_mib),
      PACKAGES: [...base, ...wifi, ...kernel, ...big.names].join(" "),
      REMOVE: remove.join(" "),
      SERVICES: [...target.services.enable, wirelessService].join(" "),
      BERRY: bench.berry.aarch64,
    },
    [Symbol.asyncDispose]: async () => await taken.disposeAsync(),
  };
}

/**
 * A whole bake with empty caches, tarball and packages fetched over loopback, against the same image made by hand:
 * loop devices, arch-chroot, and pacman, useradd, chpasswd and locale-gen emulated in the image.
 */
export async function benchArch(runs: number, megabytes: number, bench: BakeBench): Promise<Figure[]> {
  await using arch = await openArchBench(megabytes, bench);
  const berry: Measurement[] = [];
  const other: Measurement[] = [];
  // Nothing is removed between runs: for a minute after, ext4 looks twice at every inode that was freed.
  for (let run = 0; run < runs; run += 1) {
    const folder = join(arch.scratch, `run${run}`);
    await mkdir(folder);
    await chown(folder, bench.user.userId, bench.user.groupId);
    const cluster = await writeCluster(
      join(folder, "cluster"),
      { name: node, password: customisation.password, target: arch.target, packages: arch.packages },
      bench.user,
    );
    const byHand = { ...(await byHandPlace(folder)), ...arch.environment };
    const sides = [
      async () => {
        const measured = await measureBerry(cluster, join(folder, "cache"), bench);
        berry.push(tell(`arch, run ${run + 1}: berry`, measured, bench));
      },
      async () => {
        const measured = await measureOther("bake-arch.sh", { ...byHand, ...wishes(cluster) }, bench);
        other.push(tell(`arch, run ${run + 1}: by hand`, measured, bench));
      },
    ];
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) await side();
    compareImages(
      await readImage(cluster.image, node, folder, bench.signal),
      await readImage(byHand.IMAGE, node, folder, bench.signal),
    );
  }
  return figuresOf(`bake arch, ${megabytes} MB`, berry, other);
}

/** Where the other way works. */
export async function byHandPlace(folder: string): Promise<{ WORK: string; IMAGE: string }> {
  const work = join(folder, "by-hand");
  await mkdir(work);
  return { WORK: work, IMAGE: join(work, "pi.img") };
}

/** What berry.toml says, in the words of the scripts of the other way. */
export function wishes(cluster: BenchCluster): Record<string, string> {
  const { user, locale, timezone, ssid, country } = customisation;
  return {
    NODE: node,
    USER_NAME: user,
    PASSWORD_FILE: cluster.passwordFile,
    PSK_FILE: cluster.pskFile,
    LOCALE: locale,
    TIMEZONE: timezone,
    SSID: ssid,
    COUNTRY: country,
  };
}

/** Says what one run took, as soon as it is known. */
export function tell(what: string, measured: Measurement, { say }: BakeBench): Measurement {
  const { wallSeconds, cpuSeconds, emulatedSeconds, peakMemoryBytes } = measured;
  const memory = `${Math.round(peakMemoryBytes / 1024 / 1024)} MiB`;
  const [wall, cpu, emulated] = [wallSeconds, cpuSeconds, emulatedSeconds].map((each) => each.toFixed(1));
  say(`${what} took ${wall} s, ${cpu} s of CPU, emulated for ${emulated} s, ${memory}`);
  return measured;
}
