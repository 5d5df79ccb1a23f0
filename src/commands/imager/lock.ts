import { basename } from "node:path";
import type { Cluster, Node } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { lockedImage, updateLock } from "../../imager/lock/lock.ts";
import type { Lock } from "../../imager/lock/lock.ts";
import { refuseOtherInputs, trustLayers } from "../../imager/lock/trust-layers.ts";
import { lockPath, readLock, writeLock } from "../../imager/lock/lock-file.ts";
import { readLayerNotes, readSoftware } from "../../imager/software/software-file.ts";
import type { LayerNotes } from "../../imager/software/software.ts";
import type { Plan } from "../../imager/bake-plan.ts";

/**
 * The lock that a bake has to keep to.
 * @throws BerryError `no-input` when there is none, `config` when it is damaged or does not have a node
 */
export async function requireLock(cluster: Cluster, nodes: readonly Node[]): Promise<Lock> {
  const path = lockPath(cluster.file);
  const lock = await readLock(path);
  const hint = "bake once without --locked, which writes it, and keep it in version control";
  if (lock === null)
    throw new BerryError("no-input", `${path}: no such file, and --locked asks for it`, { hint });
  const unknown = nodes.filter(({ name }) => !Object.hasOwn(lock, name)).map(({ name }) => name);
  if (unknown.length > 0)
    throw new BerryError("config", `${path} does not say what ${unknown.join(", ")} is made of`, { hint });
  return lock;
}

/** @throws BerryError when berry.toml asks for something else than the lock has */
export async function lockedPlan(plan: Plan): Promise<Plan> {
  refuseOtherInputs(plan);
  const notes = new Map<string, LayerNotes | null>();
  const cached = new Set(plan.layers.filter((layer) => layer.cached).map(({ directory }) => directory));
  for (const { software } of plan.nodes)
    for (const { directory, origin } of software.layers)
      if (cached.has(directory)) notes.set(directory, await readLayerNotes(directory, origin));
  return trustLayers(plan, (directory) => notes.get(directory) ?? null);
}

/** Before anything is baked: nobody wants to hear after an hour that the lock is damaged. */
export async function refuseDamagedLock(cluster: Cluster): Promise<void> {
  await readLock(lockPath(cluster.file));
}

/**
 * Notes what the images that were baked are made of; those of other nodes keep their entries.
 * @returns what to tell, if anything changed
 */
export async function noteImages(
  cluster: Cluster,
  plan: Plan,
  baked: ReadonlySet<string>,
): Promise<string | null> {
  if (baked.size === 0) return null;
  const path = lockPath(cluster.file);
  const images: [string, Lock[string]][] = [];
  for (const { node, software } of plan.nodes)
    if (baked.has(node)) images.push([node, lockedImage(await readSoftware(software))]);
  const lock = updateLock(
    (await readLock(path)) ?? {},
    Object.fromEntries(images),
    cluster.nodes.map(({ name }) => name),
  );
  return (await writeLock(path, lock)) ? `${basename(path)} says what is in the images` : null;
}
