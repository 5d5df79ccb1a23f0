import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Cluster, Node } from "../../config/cluster.ts";
import { readCluster } from "../read-cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import type { Log } from "../../core/ports.ts";
import { collectFacts } from "../../imager/facts/collect-facts.ts";
import type { HostFacts } from "../../imager/facts/host-facts.ts";
import { planBake } from "../../imager/plan/plan.ts";
import type { Plan } from "../../imager/bake-plan.ts";
import type { Target } from "../../imager/targets/target.ts";
import type { LoadedTarget } from "../../imager/targets/targets.ts";
import { loadTarget } from "../../imager/targets/targets-load.ts";
import { ownVersion } from "../../cli/version.ts";
import { commandRunner } from "../../system/command-runner.ts";
import { lockedPlan, requireLock } from "./lock.ts";

/** Flags of every verb that looks at a cluster's images. */
export const clusterArguments = {
  file: {
    type: "string",
    alias: "f",
    default: "berry.toml",
    valueHint: "FILE",
    description: "the cluster file",
  },
  "cache-dir": {
    type: "string",
    valueHint: "FOLDER",
    description: "where layers and downloads are kept (default: ~/.cache/berry)",
  },
} as const;

export const planArguments = {
  ...clusterArguments,
  berry: {
    type: "string",
    valueHint: "PATH",
    description:
      "the aarch64 berry for the images: a program, or its package for pacman (default: berry-aarch64 beside this program)",
  },
  refresh: { type: "boolean", description: "make every layer anew, with today's packages" },
} as const;

/** What a plan was made from. */
export interface Prepared {
  readonly cluster: Cluster;
  readonly nodes: readonly Node[];
  readonly target: LoadedTarget;
  readonly facts: HostFacts;
  readonly plan: Plan;
}

export async function prepare(
  args: {
    readonly file: string;
    readonly "cache-dir": string | undefined;
    readonly berry: string | undefined;
    readonly refresh: boolean;
    readonly locked?: boolean;
  },
  names: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<Prepared> {
  const cluster = await readCluster(args.file, log, signal);
  const nodes = chooseNodes(cluster, names);
  const lock = args.locked === true ? await requireLock(cluster, nodes) : null;
  const target = await loadTarget(cluster.target);
  const facts = await lookAtHost(
    cluster,
    target.target.family,
    { cacheDirectory: cacheDirectory(args["cache-dir"]), berry: args.berry },
    signal,
  );
  const { version } = ownVersion(process.arch);
  const plan = planBake({
    cluster,
    target,
    facts,
    nodes,
    refresh: args.refresh,
    lock,
    berry: { baking: version, inImages: args.berry === undefined ? version : null },
    hash,
  });
  return { cluster, nodes, target, facts, plan: lock === null ? plan : await lockedPlan(plan) };
}

/** What of this machine a bake has to know; `berry` is what --berry names. */
export async function lookAtHost(
  cluster: Cluster,
  family: Target["family"],
  named: { readonly cacheDirectory: string; readonly berry: string | undefined },
  signal: AbortSignal,
): Promise<HostFacts> {
  return await collectFacts(
    {
      cluster,
      family,
      cacheDirectory: named.cacheDirectory,
      berry: named.berry === undefined ? null : resolve(named.berry),
      ownProgram: compiledProgram() ?? join(import.meta.dir, "../../../dist/berry"),
      ownArchitecture: process.arch,
      path: process.env["PATH"] ?? "",
      sourceDateEpoch: process.env["SOURCE_DATE_EPOCH"],
    },
    commandRunner,
    signal,
  );
}

/** `$XDG_CACHE_HOME/berry` unless the user named a folder. */
export function cacheDirectory(named: string | undefined): string {
  if (named !== undefined) return resolve(named);
  const base = process.env["XDG_CACHE_HOME"];
  return join(base !== undefined && base.startsWith("/") ? base : join(homedir(), ".cache"), "berry");
}

/** The nodes of these names in the file's order; all where none is named. */
export function chooseNodes(cluster: Cluster, names: readonly string[]): Node[] {
  const known = cluster.nodes.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const close = nearest(name, known);
    throw new BerryError("usage", `${cluster.file} has no node ${name}`, {
      hint: close === undefined ? `it has ${known.join(", ")}` : `did you mean ${close}?`,
    });
  }
  return cluster.nodes.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** What starts berry again: the compiled program, or bun with the source. */
export function ownArgv(): string[] {
  const compiled = compiledProgram();
  return compiled === null ? [process.execPath, join(import.meta.dir, "../../main.ts")] : [compiled];
}

/** Bun gives the modules of a compiled program paths of their own. */
function compiledProgram(): string | null {
  return import.meta.path.startsWith("/$bunfs/") ? process.execPath : null;
}

function hash(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
