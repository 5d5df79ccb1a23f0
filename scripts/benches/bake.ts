import { mkdtemp, chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { ordinaryUser } from "../../test/fixtures/ordinary-user.ts";
import { mustRun } from "../../test/fixtures/run.ts";
import { benchArch } from "./bake-arch.ts";
import type { BakeBench, BerryBinaries } from "./bake-cluster.ts";
import { benchDebian } from "./bake-debian.ts";
import { benchWarm } from "./bake-warm.ts";
import type { Figure } from "./figures.ts";

export const bakeParts = ["arch", "debian", "warm"] as const;
export type BakePart = (typeof bakeParts)[number];

export interface BakeOptions {
  /** null: what each part takes by default. */
  readonly runs: number | null;
  /** null: all of them. */
  readonly only: BakePart | null;
  /** Of ballast among the packages of Arch Linux ARM. */
  readonly megabytes: number;
}

/** Berry's bakes against the ways of before: needs root, loop devices, and for Debian the mirror of the host's apt. */
export async function benchBake(
  options: BakeOptions,
  emulator: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  await using berry = await compileBerry(say, signal);
  const bench: BakeBench = { user: await ordinaryUser(signal), berry, emulator, say, signal };
  const figures: Figure[] = [];
  for (const part of bakeParts) {
    if (options.only !== null && options.only !== part) continue;
    figures.push(...(await runPart(part, options, bench)));
  }
  return figures;
}

async function runPart(
  part: BakePart,
  { runs, megabytes }: BakeOptions,
  bench: BakeBench,
): Promise<Figure[]> {
  switch (part) {
    case "arch":
      return await benchArch(runs ?? 3, megabytes, bench);
    case "debian":
      return await benchDebian(runs ?? 1, bench);
    case "warm":
      return await benchWarm(runs ?? 5, megabytes, bench);
  }
}

export async function compileBerry(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<BerryBinaries & AsyncDisposable> {
  const folder = await mkdtemp("/var/tmp/berry-bench-dist-");
  await chmod(folder, 0o755);
  say("compiling berry");
  const house = join(import.meta.dirname, "../..");
  await mustRun(
    [process.execPath, join(house, "scripts/build.ts"), "--out", folder],
    { cwd: house, env: { HOME: process.env["HOME"] ?? "/root" } },
    signal,
  );
  const own = process.arch === "arm64" ? "berry-aarch64" : "berry-x86_64";
  return {
    own: join(folder, own),
    aarch64: join(folder, "berry-aarch64"),
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}
