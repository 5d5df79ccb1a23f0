import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openArchBench, tell } from "./bake-arch.ts";
import type { BakeBench } from "./bake-cluster.ts";
import { measureBerry, writeCluster } from "./bake-cluster.ts";
import type { Figure } from "./figures.ts";
import { readImage } from "./image-content.ts";
import { figuresOf, measure, type Measurement } from "./measure.ts";

/**
 * One more node, with a name and a password of its own, where the layers are cached;
 * against one `cp --sparse=always` of that image, brought to the disk as berry's is.
 */
export async function benchWarm(runs: number, megabytes: number, bench: BakeBench): Promise<Figure[]> {
  await using arch = await openArchBench(megabytes, bench);
  const cluster = async (name: string) =>
    await writeCluster(
      join(arch.scratch, "warm"),
      { name, password: `the password of ${name}`, target: arch.target, packages: arch.packages },
      bench.user,
    );
  const cache = join(arch.scratch, "cache");
  const first = await cluster("pi0");
  await measureBerry(first, cache, bench);
  const berry: Measurement[] = [];
  const other: Measurement[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const name = `pi${run}`;
    const next = await cluster(name);
    const copy = join(arch.scratch, "warm/copy.img");
    const argv = ["sh", "-c", 'cp --sparse=always "$1" "$2" && sync "$2"', "sh", first.image, copy];
    const sides = [
      async () => berry.push(tell(`warm, run ${run}: berry`, await measureBerry(next, cache, bench), bench)),
      async () => {
        const measured = await measure({ argv, cwd: arch.scratch }, bench.emulator, bench.signal);
        other.push(tell(`warm, run ${run}: a copy`, measured, bench));
      },
    ];
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) await side();
    await readImage(next.image, name, arch.scratch, bench.signal);
    for (const image of [copy, next.image]) await rm(image);
  }
  return figuresOf("bake one more node, all cached; against one copy of its image", berry, other);
}
