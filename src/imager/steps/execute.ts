import { mkdir, open, readdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import type { Clock, CommandRunner } from "../../core/ports.ts";
import type { BakeEvent } from "../event.ts";
import { recordLayer } from "../layer-record-file.ts";
import type { LayerPlan, NodePlan, Plan } from "../bake-plan.ts";
import type { Step } from "../step.ts";
import type { StepContext } from "./context.ts";
import type { EmulationMeter } from "./emulation-meter.ts";
import { refuseForeignKnownHosts, writeKnownHosts } from "./host-keys.ts";
import { inLanes } from "./lanes.ts";
import { mountRoot } from "./mount-root.ts";
import { removeTree } from "./remove-tree.ts";
import { imageSize } from "./pack.ts";
import { perform } from "./perform.ts";
import { programFailure } from "./program-failure.ts";
import { nodeSoftware, publishImage } from "./publish-image.ts";

export interface Execution {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly meter: EmulationMeter;
  readonly emit: (event: BakeEvent) => void;
  /** A folder in memory. */
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Does the plan, layer by layer, then some nodes at a time. Runs inside the namespaces, alone on its cache.
 * Whatever ends it, nothing is left mounted, and only whole layers and whole images have their final names.
 */
export async function executePlan(plan: Plan, execution: Execution, signal: AbortSignal): Promise<void> {
  const { emit, clock, meter } = execution;
  const startedAt = clock.now();
  await removeLeftovers(plan.cacheDirectory);
  await prepareOutput(plan.outputDirectory);
  if (plan.knownHosts !== null) await refuseForeignKnownHosts(plan.knownHosts);
  const layers = plan.layers.filter(({ cached }) => !cached);
  const steps = [...layers, ...plan.nodes].reduce((sum, { steps: own }) => sum + own.length, 0);
  emit({ event: "planned", steps, nodes: plan.nodes.map(({ node }) => node) });
  let counter = 0;
  const number = (): number => (counter += 1);
  for (const layer of plan.layers) {
    if (layer.cached) emit({ event: "cached", layer: layer.name });
    else await bakeLayer(layer, execution, number, signal);
  }
  // before the first image: one that is there is known, whatever ends the bake
  const knownNodes = plan.knownHosts === null ? 0 : await writeKnownHosts(plan.knownHosts);
  await inLanes(
    plan.nodes,
    async (node, untilOneFails) => await bakeNode(node, execution, number, untilOneFails),
    signal,
  );
  if (plan.knownHosts !== null) emit({ event: "known-hosts", path: plan.knownHosts.path, nodes: knownNodes });
  emit({
    event: "baked",
    seconds: (clock.now() - startedAt) / 1000,
    emulatedSeconds: meter.emulatedSeconds(),
    peakMemoryBytes: meter.peakMemoryBytes(),
  });
}

/** What a bake that was killed left: nobody else works in this cache now. */
async function removeLeftovers(cacheDirectory: string): Promise<void> {
  const work = join(cacheDirectory, "work");
  await mkdir(work, { recursive: true, mode: 0o700 });
  for (const name of await readdir(work)) await removeTree(join(work, name));
}

/** Before the first layer: nobody wants to hear of it after an hour. */
async function prepareOutput(folder: string): Promise<void> {
  const trial = join(folder, ".berry-trial");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(trial, "");
    await rm(trial);
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot write images into ${folder}`, {
      hint: "give yourself the permission to write there, or set image.output in berry.toml",
      cause,
    });
  }
}

async function bakeLayer(
  layer: LayerPlan,
  execution: Execution,
  number: () => number,
  signal: AbortSignal,
): Promise<void> {
  await removeTree(layer.work);
  try {
    await mkdir(join(layer.work, "tmp"), { recursive: true, mode: 0o755 });
    await withRoot(
      layer.name,
      {
        root: layer.root,
        lower: layer.lower,
        upper: join(layer.work, "tree"),
        overlayWork: join(layer.work, "overlay"),
      },
      layer.steps,
      execution,
      number,
      signal,
    );
    for (const rest of [layer.root, join(layer.work, "overlay"), join(layer.work, "tmp")]) {
      await removeTree(rest);
    }
    await recordLayer(layer.work, layer.lower);
    await publish(layer.work, layer.directory, execution, signal);
  } catch (thrown) {
    const error = await blameFullDisk(thrown, layer.work);
    await removeTree(layer.work);
    execution.emit({ event: "undone", what: `removed the unfinished layer ${layer.name}` });
    throw error;
  }
}

/** Whole on the disk before it has its name: not even a power cut leaves half a layer that is trusted. */
async function publish(
  work: string,
  directory: string,
  execution: Execution,
  signal: AbortSignal,
): Promise<void> {
  const argv = ["sync", "--file-system", work];
  const synced = await execution.runner.run(argv, { env: execution.environment }, signal);
  if (synced.exitCode !== 0) throw programFailure(argv, synced);
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  await removeTree(directory);
  await rename(work, directory);
}

const fullBelowBytes = 16 * MiB;

/** Programs do not always say why they could not write: where no space is left, that is the cause. */
async function blameFullDisk(thrown: unknown, folder: string): Promise<unknown> {
  if (!(thrown instanceof BerryError) || thrown.kind !== "software") return thrown;
  const disk = await statfs(folder).catch(() => null);
  const isFull =
    disk !== null && (disk.bavail * disk.bsize < fullBelowBytes || (disk.files > 0 && disk.ffree === 0));
  if (!isFull) return thrown;
  return new BerryError("cannot-create", `the disk of ${folder} is full`, {
    hint: "free some space, or move the cache with --cache-dir and the images with image.output",
    cause: thrown,
  });
}

async function bakeNode(
  node: NodePlan,
  execution: Execution,
  number: () => number,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(node.output), { recursive: true, mode: 0o700 });
  try {
    const software = await nodeSoftware(node);
    await withRoot(
      node.node,
      { root: node.root, lower: node.lower, upper: node.upper, overlayWork: join(node.work, "overlay") },
      node.steps,
      execution,
      number,
      signal,
    );
    {
      await using file = await open(node.partial, "r");
      await file.chmod(0o600);
      await file.sync();
    }
    await publishImage(node, software);
  } catch (thrown) {
    const error = await blameFullDisk(thrown, dirname(node.partial));
    for (const path of [node.partial, node.software.partial]) await rm(path, { force: true });
    execution.emit({ event: "undone", what: `removed the unfinished image of ${node.node}` });
    throw error;
  } finally {
    await removeTree(node.work);
  }
  execution.emit({
    event: "image",
    node: node.node,
    path: node.output,
    ...(await imageSize(node.output)),
    softwareList: node.software.output,
  });
}

async function withRoot(
  name: string,
  mount: Parameters<typeof mountRoot>[0],
  steps: readonly Step[],
  execution: Execution,
  number: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { clock, meter, emit } = execution;
  await using undo = new AsyncDisposableStack();
  const context = (step: number): StepContext => ({
    ...execution,
    step,
    undo,
    signal,
    cleanUpSignal: new AbortController().signal,
  });
  await mountRoot(mount, context(0));
  for (const step of steps) {
    signal.throwIfAborted();
    const current = number();
    emit({ event: "started", step: current, layer: name, title: step.title });
    const [startedAt, emulatedBefore] = [clock.now(), meter.emulatedSeconds()];
    await perform(step, context(current));
    emit({
      event: "finished",
      step: current,
      seconds: (clock.now() - startedAt) / 1000,
      emulatedSeconds: meter.emulatedSeconds() - emulatedBefore,
    });
  }
}
