import { appendFile, chown, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ordinaryUser } from "../../test/fixtures/ordinary-user.ts";
import { openSharingDisk } from "../../test/fixtures/sharing-disk.ts";
import { type ArchBench, openArchBench, tell } from "./bake-arch.ts";
import { type BakeBench, type BenchCluster, measureBerry, writeCluster } from "./bake-cluster.ts";
import { compileBerry } from "./bake.ts";
import type { Figure } from "./figures.ts";
import { fleetSizes, fleetVariant } from "./fleet-sizes.ts";
import { readImage } from "./image-content.ts";
import { figuresOf, measure, type Measurement } from "./measure.ts";

/** `shared`: on btrfs, whose files share blocks; `plain`: on the file system of /var/tmp. */
export const fleetParts = ["shared", "plain"] as const;
type FleetPart = (typeof fleetParts)[number];

export interface FleetOptions {
  /** null: 1. */
  readonly runs: number | null;
  /** null: both. */
  readonly only: FleetPart | null;
  /** Of ballast among the packages. */
  readonly megabytes: number;
}

const gib = 1 << 30;

/**
 * Fleets of one, five and twenty nodes where the layers are cached, against as many `cp --sparse=always` of the image
 * on the same disk: what is not berry's would change the copies by hand.
 */
export async function benchFleet(
  { runs, only, megabytes }: FleetOptions,
  emulator: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  await using berry = await compileBerry(say, signal);
  const bench: BakeBench = { user: await ordinaryUser(signal), berry, emulator, say, signal };
  await using arch = await openArchBench(megabytes, bench);
  const figures: Figure[] = [];
  for (const part of fleetParts) {
    if (only !== null && only !== part) continue;
    await using resources = new AsyncDisposableStack();
    const place = await openPlace(part, arch, resources, bench);
    figures.push(...(await benchPlace(part, runs ?? 1, place, arch, bench)));
  }
  return figures;
}

interface Place {
  readonly folder: string;
  /** What the images of a folder take on the disk; `before` is what was taken without them. */
  readonly newBytes: (images: string, before: number) => Promise<number>;
  readonly usedBytes: () => Promise<number>;
}

async function openPlace(
  part: FleetPart,
  { scratch }: ArchBench,
  resources: AsyncDisposableStack,
  { user, signal }: BakeBench,
): Promise<Place> {
  switch (part) {
    case "shared": {
      // the copies by hand share nothing
      const disk = resources.use(await openSharingDisk(40 * gib, signal));
      await chown(disk.path, user.userId, user.groupId);
      const { usedBytes } = disk;
      return { folder: disk.path, usedBytes, newBytes: async (_, before) => (await usedBytes()) - before };
    }
    case "plain": {
      const folder = join(scratch, "plain");
      await mkdir(folder);
      await chown(folder, user.userId, user.groupId);
      // others may write to this disk: the files are asked, not the disk
      return { folder, usedBytes: async () => 0, newBytes: async (images) => await allocatedBytes(images) };
    }
  }
}

async function benchPlace(
  part: FleetPart,
  runs: number,
  place: Place,
  arch: ArchBench,
  bench: BakeBench,
): Promise<Figure[]> {
  const where = part === "shared" ? "on btrfs" : "on a plain disk";
  const cache = join(place.folder, "cache");
  const figures: Figure[] = [];
  await measureBerry(await fleet(1, place, arch, bench), cache, bench);
  for (const size of fleetSizes) {
    const cluster = await fleet(size, place, arch, bench);
    const measured = { berry: [] as Measurement[], other: [] as Measurement[] };
    const perNode = { berry: [] as number[], other: [] as number[] };
    for (let run = 1; run <= runs; run += 1) {
      const images = join(cluster.folder, "images");
      await rm(images, { recursive: true, force: true });
      const before = await place.usedBytes();
      const title = `${size} nodes ${where}, run ${run}`;
      measured.berry.push(tell(`${title}: berry`, await measureBerry(cluster, cache, bench), bench));
      perNode.berry.push((await place.newBytes(images, before)) / size / (1 << 20));
      await readImage(cluster.image, "pi1", arch.scratch, bench.signal);
      const copies = join(place.folder, "copies");
      await mkdir(copies);
      const beforeCopies = await place.usedBytes();
      const copied = await measure(copyCommand(cluster.image, copies, size), bench.emulator, bench.signal);
      measured.other.push(tell(`${title}: copies`, copied, bench));
      perNode.other.push((await place.newBytes(copies, beforeCopies)) / size / (1 << 20));
      await rm(copies, { recursive: true });
    }
    const title = `bake ${fleetVariant(size)} ${where}, all cached; against as many copies`;
    const variant = fleetVariant(size);
    figures.push(...figuresOf(title, measured.berry, measured.other, variant));
    figures.push({ bench: title, variant, name: "new disk a node", unit: "MiB", ...perNode });
  }
  return figures;
}

async function fleet(
  size: number,
  { folder }: Place,
  { target, packages }: ArchBench,
  { user }: BakeBench,
): Promise<BenchCluster> {
  const cluster = await writeCluster(
    join(folder, "fleet"),
    { name: "pi1", password: "the password of all", target, packages },
    user,
  );
  for (let node = 2; node <= size; node += 1)
    await appendFile(cluster.file, `[[node]]\nname = "pi${node}"\n`);
  return cluster;
}

function copyCommand(image: string, folder: string, count: number): { argv: string[]; cwd: string } {
  const script =
    'for node in $(seq "$3"); do cp --sparse=always --reflink=never "$1" "$2/$node.img"; sync "$2/$node.img"; done';
  return { argv: ["sh", "-euc", script, "sh", image, folder, String(count)], cwd: folder };
}

async function allocatedBytes(folder: string): Promise<number> {
  const images = (await readdir(folder)).filter((name) => name.endsWith(".img"));
  const blocks = await Promise.all(images.map(async (name) => (await stat(join(folder, name))).blocks));
  return blocks.reduce((sum, count) => sum + count * 512, 0);
}
