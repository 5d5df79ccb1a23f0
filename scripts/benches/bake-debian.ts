import { chown, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseDebianMirror } from "../../src/imager/facts/collect-mirror.ts";
import { sourcesList } from "../../src/imager/plan/apt-conf.ts";
import { loadTarget } from "../../src/imager/targets/targets-load.ts";
import { mustRun } from "../../test/fixtures/run.ts";
import { byHandPlace, tell, wishes } from "./bake-arch.ts";
import type { BakeBench } from "./bake-cluster.ts";
import { customisation, measureBerry, measureOther, wirelessService, writeCluster } from "./bake-cluster.ts";
import type { Figure } from "./figures.ts";
import { compareImages, readImage } from "./image-content.ts";
import { figuresOf, type Measurement } from "./measure.ts";

const node = "pi1";
const targetName = "debian-arm64";

/**
 * A whole bake with no layer in the cache, against mmdebstrap with the same packages. Packages are downloaded before:
 * berry finds them in its cache, mmdebstrap in apt's archives, hard-linked from there. Both fetch the lists anew.
 */
export async function benchDebian(runs: number, bench: BakeBench): Promise<Figure[]> {
  const { user, signal } = bench;
  const { target } = await loadTarget(targetName);
  if (target.family !== "apt") throw new Error(`not an apt target: ${target.family}`);
  const mirror = await hostMirror(signal);
  const scratch = await mkdtemp("/var/tmp/berry-");
  await using resources = new AsyncDisposableStack();
  resources.defer(async () => await rm(scratch, { recursive: true, force: true }));
  await chown(scratch, user.userId, user.groupId);
  // Packages stay there between benches; layers do not. They are moved away at first: ext4 looks twice at every
  // inode that was freed within the last minute.
  const cache = join(user.home, ".cache/berry-bench");
  const old = join(cache, `old-${process.pid}`);
  resources.defer(async () => await rm(old, { recursive: true, force: true }));
  const forgetLayers = async (run: string) => {
    const layers = join(cache, "layers");
    if ((await readdir(layers).catch(() => [])).length === 0) return;
    await mkdir(old, { recursive: true });
    await rename(layers, join(old, run));
  };
  resources.defer(async () => await forgetLayers("last"));
  const clusterIn = async (folder: string) =>
    await writeCluster(
      join(folder, "cluster"),
      { name: node, password: customisation.password, target: targetName, packages: [] },
      user,
    );

  if ((await archives(cache)) === null) {
    bench.say("debian: one bake that is not measured, to download the packages");
    await measureBerry(await clusterIn(scratch), cache, bench);
  }
  const berry: Measurement[] = [];
  const other: Measurement[] = [];
  for (let run = 0; run < runs; run += 1) {
    const folder = join(scratch, `run${run}`);
    await mkdir(folder);
    await chown(folder, user.userId, user.groupId);
    const cluster = await clusterIn(folder);
    const place = await byHandPlace(folder);
    const sources = join(place.WORK, "sources.list");
    await writeFile(sources, sourcesList(target.apt, mirror));
    const { base, wifi, kernel } = target.packages;
    const environment = async () => ({
      ...place,
      ...wishes(cluster),
      SOURCES: sources,
      SUITE: target.apt.suite,
      COMPONENTS: target.apt.components.join(","),
      PACKAGES: [...base, ...wifi, ...kernel].join(","),
      SERVICES: [...target.services.enable, wirelessService].join(" "),
      BOOT_MOUNT: target.boot.mount,
      BOOT_MIB: String(target.boot.size_mib),
      ARCHIVES: (await archives(cache)) ?? "",
      BERRY: bench.berry.aarch64,
    });
    const sides = [
      async () => {
        await forgetLayers(`run${run}`);
        berry.push(tell(`debian, run ${run + 1}: berry`, await measureBerry(cluster, cache, bench), bench));
      },
      async () => {
        const measured = await measureOther("bake-debian.sh", await environment(), bench);
        other.push(tell(`debian, run ${run + 1}: mmdebstrap`, measured, bench));
      },
    ];
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) await side();
    compareImages(
      await readImage(cluster.image, node, folder, signal),
      await readImage(place.IMAGE, node, folder, signal),
    );
  }
  return figuresOf("bake debian", berry, other);
}

/** Where berry's apt keeps the arm64 packages; null when it has downloaded none. */
async function archives(cache: string): Promise<string | null> {
  const names = await readdir(join(cache, "apt")).catch(() => []);
  for (const name of names.filter((each) => each.startsWith("arm64-"))) {
    const folder = join(cache, "apt", name, "archives");
    const files = await readdir(folder).catch(() => []);
    if (files.some((file) => file.endsWith(".deb"))) return folder;
  }
  return null;
}

async function hostMirror(signal: AbortSignal): Promise<NonNullable<ReturnType<typeof chooseDebianMirror>>> {
  const format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(COMPONENT)|$(CODENAME)|$(SUITE)";
  const argv = ["apt-get", "indextargets", "--format", format, "Created-By: Packages"];
  const mirror = chooseDebianMirror(await mustRun(argv, {}, signal));
  if (mirror === null)
    throw new Error("apt of this host knows no mirror of Debian: bench with --only arch or --only warm");
  return mirror;
}
