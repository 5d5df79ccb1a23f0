import type { Cluster, Node } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import type { Emulator, LayerPlan, NodePlan, Plan } from "../bake-plan.ts";
import { kernelHasOwnBinfmt, needsEmulation } from "../facts/host-facts.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Lock } from "../lock/lock.ts";
import type { LoadedTarget } from "../targets/targets.ts";
import { diskIdentity } from "./disk-identity.ts";
import { knownHosts } from "./host-key-steps.ts";
import { imageLayers } from "./image-layers.ts";
import { treesOf } from "./layer.ts";
import { nodeSteps } from "./node-steps.ts";
import { settleSteps } from "./settle-steps.ts";
import { nodeSoftware } from "./software-sources.ts";

export interface PlanRequest {
  readonly cluster: Cluster;
  readonly target: LoadedTarget;
  readonly facts: HostFacts;
  /** Nodes to bake; all are known to the cluster. */
  readonly nodes: readonly Node[];
  /** Layers that came from a mirror are made anew. */
  readonly refresh: boolean;
  /** Only what it has may be installed; null: anything. It has all of the nodes. */
  readonly lock: Lock | null;
  /** Versions of berry; null: nobody knows which one the user has named. */
  readonly berry: { readonly baking: string; readonly inImages: string | null };
  /** SHA-256 of a text, in hexadecimal. */
  readonly hash: (text: string) => string;
}

/**
 * Everything that a bake will do, in order. Pure: equal requests give equal plans.
 * @throws BerryError `config` when the target needs what neither berry.toml nor the host says
 */
export function planBake(request: PlanRequest): Plan {
  const { cluster, facts } = request;
  const layers = new Map<string, LayerPlan>();
  const add = (layer: LayerPlan): LayerPlan => {
    const known = layers.get(layer.directory);
    if (known !== undefined) return known;
    layers.set(layer.directory, layer);
    return layer;
  };
  const nodes = request.nodes.map((node) => planNode(node, imageLayers(node, request, add), request));
  return {
    cacheDirectory: facts.cacheDirectory,
    outputDirectory: cluster.outputDirectory,
    sourceDateEpoch: facts.sourceDateEpoch,
    emulator: chooseEmulator(facts),
    layers: [...layers.values()],
    nodes,
    knownHosts: knownHosts(cluster, request.nodes, facts),
  };
}

function planNode(node: Node, layers: readonly LayerPlan[], request: PlanRequest): NodePlan {
  const { cluster, facts } = request;
  const { target } = request.target;
  const [image] = layers;
  if (image === undefined) throw new BerryError("software", `no layers were planned for ${node.name}`);
  const work = `${facts.cacheDirectory}/scratch/nodes/${node.name}`;
  const root = `${work}/root`;
  const upper = `${work}/upper`;
  const partial = `${cluster.outputDirectory}/.${node.name}.img.partial`;
  const identity = diskIdentity(cluster, node, request.hash);
  return {
    node: node.name,
    lower: treesOf(layers),
    work,
    root,
    upper,
    steps: [
      ...nodeSteps(node, target, facts, identity, root),
      ...settleSteps(facts, root, upper),
      {
        title: `write ${node.name}.img`,
        do: "patch-image",
        base: `${image.directory}/disk.img`,
        upper,
        lower: treesOf(layers),
        bootMount: target.boot.mount,
        bootBytes: target.boot.size_mib * MiB,
        image: partial,
        identity,
      },
    ],
    partial,
    output: `${cluster.outputDirectory}/${node.name}.img`,
    software: nodeSoftware(node, layers, request),
  };
}

/** Preflight has refused where this gives null and emulation is needed. */
function chooseEmulator(facts: HostFacts): Emulator | null {
  if (!needsEmulation(facts)) return null;
  const [interpreter] = facts.emulators;
  if (kernelHasOwnBinfmt(facts)) return interpreter === undefined ? null : { kind: "own", interpreter };
  return facts.hostHandler === null ? null : { kind: "host", handler: facts.hostHandler };
}
