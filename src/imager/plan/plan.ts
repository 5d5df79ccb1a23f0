import type { Cluster, Node } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import { needsEmulation, nativeDebian } from "../host-facts.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Lock } from "../lock/lock.ts";
import type { Emulator, LayerPlan, NodePlan, Plan } from "../bake-plan.ts";
import type { DiskIdentity, PackImage, Step } from "../step.ts";
import type { Target } from "../target.ts";
import type { LoadedTarget } from "../targets.ts";
import type { AptPlace } from "./apt-files.ts";
import { aptPackageSteps, aptSystemSteps, nativeToolSteps } from "./apt-layers.ts";
import { customiseSteps } from "./customise.ts";
import { planLayer, treesOf } from "./layer.ts";
import type { LayerPlace, LayerRequest } from "./layer.ts";
import { knownHosts } from "./host-key-steps.ts";
import { nodeSteps } from "./node-steps.ts";
import { packagesOf } from "./probe-steps.ts";
import { nodeSoftware, noteScript } from "./software-sources.ts";
import { berryPackageSteps, pacmanPackageSteps, pacmanSystemSteps, rootfsSteps } from "./pacman-layers.ts";
import type { PacmanPlace } from "./pacman-layers.ts";
import { settleSteps } from "./settle-steps.ts";

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

/** The layers of one node's image, topmost first; each is made known from the lowest up. */
function imageLayers(node: Node, request: PlanRequest, add: (layer: LayerPlan) => LayerPlan): LayerPlan[] {
  const { target } = request.target;
  const system = systemLayers(node, request, add);
  const packages = packageLayer(node, system, request, add);
  const withPackages = packages === null ? system.layers : [packages, ...system.layers];
  const berry = berryLayer(withPackages, system, request, add);
  const below = berry === null ? withPackages : [berry, ...withPackages];
  const image = add(
    plan(request, {
      name: "image",
      below,
      steps: (place) => [
        ...customiseSteps(node, target, request.facts, place.root),
        noteScript(target, place),
        ...settleSteps(request.facts, place.root),
        {
          title: "pack the image",
          do: "pack-image",
          root: place.root,
          bootMount: target.boot.mount,
          image: `${place.work}/disk.img`,
          bootBytes: target.boot.size_mib * MiB,
          marginBytes: node.image.marginBytes,
          ...packedSettled(target, request),
        },
      ],
    }),
  );
  return [image, ...below];
}

interface System {
  /** Topmost first. */
  readonly layers: readonly LayerPlan[];
  readonly packageSteps: (place: LayerPlace) => Step[];
  /** Installs berry's own package; null where berry is a bare program. */
  readonly berrySteps: ((place: LayerPlace) => Step[]) | null;
}

function systemLayers(node: Node, request: PlanRequest, add: (layer: LayerPlan) => LayerPlan): System {
  const { facts, hash } = request;
  const { target, signingKey } = request.target;
  const packages = packagesOf(node, target);
  const locked = request.lock?.[node.name] ?? null;
  switch (target.family) {
    case "apt": {
      const apt: AptPlace = { target, mirror: debianMirror(node, facts), facts, hash, locked };
      const native = nativeDebian(facts);
      const tools =
        native === null
          ? null
          : add(
              plan(request, {
                name: "native-tools",
                below: [],
                steps: (place) => nativeToolSteps(apt, place, native.architecture),
              }),
            );
      const system = add(
        plan(request, {
          name: "system",
          below: [],
          steps: settled(request, (place) => aptSystemSteps(apt, place, tools)),
        }),
      );
      return {
        layers: [system],
        packageSteps: (place) => aptPackageSteps(apt, place, tools, packages),
        berrySteps: null,
      };
    }
    case "pacman": {
      if (signingKey === null)
        throw new BerryError("software", `the target ${target.name} came without its key`);
      const pacman: PacmanPlace = {
        target,
        signingKey,
        mirror: node.image.mirror ?? target.pacman.mirror,
        facts,
        hash,
        locked,
      };
      const rootfs = add(
        plan(request, {
          name: "rootfs",
          below: [],
          steps: settled(request, (place) => rootfsSteps(pacman, place)),
        }),
      );
      const system = add(
        plan(request, {
          name: "system",
          below: [rootfs],
          steps: settled(request, (place) => pacmanSystemSteps(pacman, place)),
        }),
      );
      const { berry } = facts;
      return {
        layers: [system, rootfs],
        packageSteps: (place) => pacmanPackageSteps(pacman, place, packages),
        berrySteps:
          berry === null || berry.package === null ? null : berryPackageSteps(pacman, berry, berry.package),
      };
    }
  }
}

function packageLayer(
  node: Node,
  system: System,
  request: PlanRequest,
  add: (layer: LayerPlan) => LayerPlan,
): LayerPlan | null {
  if (packagesOf(node, request.target.target).length === 0) return null;
  const steps = settled(request, system.packageSteps);
  return add(plan(request, { name: "packages", below: system.layers, steps }));
}

/** The same for nodes that have the same packages; an image that changes does not install it again. */
function berryLayer(
  below: readonly LayerPlan[],
  system: System,
  request: PlanRequest,
  add: (layer: LayerPlan) => LayerPlan,
): LayerPlan | null {
  const { berrySteps } = system;
  return berrySteps === null
    ? null
    : add(plan(request, { name: "berry", below, steps: settled(request, berrySteps) }));
}

/** So that the layers above have nothing to settle in it, which would copy it. */
function settled({ facts }: PlanRequest, steps: LayerRequest["steps"]): LayerRequest["steps"] {
  return (place) => [...steps(place), ...settleSteps(facts, place.root)];
}

function plan(request: PlanRequest, layer: Pick<LayerRequest, "name" | "below" | "steps">): LayerPlan {
  const { cacheDirectory, cachedLayers } = request.facts;
  return planLayer({
    ...layer,
    cacheDirectory,
    cachedLayers: request.refresh ? [] : cachedLayers,
    salt: [],
    hash: request.hash,
  });
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

/** Every node's image gets a UUID of its own; until then, and for what is derived from it, all have the same. */
function packedSettled({ name }: Target, { facts, hash }: PlanRequest): Pick<PackImage, "settled"> {
  const { sourceDateEpoch: epochSeconds } = facts;
  return epochSeconds === null ? {} : { settled: { epochSeconds, rootUuid: uuidOf(hash(`target ${name}`)) } };
}

/** Distinct for every node of every cluster, and the same each time that it is baked. */
function diskIdentity(cluster: Cluster, node: Node, hash: (text: string) => string): DiskIdentity {
  const digest = hash(`${cluster.name}/${node.name}`);
  return {
    diskSignature: digest.slice(0, 8),
    bootVolumeId: digest.slice(8, 16).toUpperCase(),
    rootUuid: uuidOf(digest.slice(16)),
  };
}

/** RFC 9562, section 5.8: version 8, of our own making. */
function uuidOf(digest: string): string {
  const variant = ((Number.parseInt(digest.slice(17, 18), 16) & 3) | 8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(18, 21)}-${digest.slice(21, 33)}`;
}

function debianMirror(node: Node, facts: HostFacts): { url: string; securityUrl: string | null } {
  if (node.image.mirror !== null) {
    const same = facts.debianMirror?.url === node.image.mirror;
    return { url: node.image.mirror, securityUrl: same ? (facts.debianMirror?.securityUrl ?? null) : null };
  }
  if (facts.debianMirror !== null) return facts.debianMirror;
  throw new BerryError(
    "config",
    "no mirror for Debian: berry.toml names none, and this host's apt uses none",
    {
      hint: 'add one of https://www.debian.org/mirror/list to berry.toml: [image] mirror = "http://…/debian"',
    },
  );
}

/** Preflight has refused where this gives null and emulation is needed. */
function chooseEmulator(facts: HostFacts): Emulator | null {
  if (!needsEmulation(facts)) return null;
  const [interpreter] = facts.emulators;
  if (kernelHasOwnBinfmt(facts)) return interpreter === undefined ? null : { kind: "own", interpreter };
  return facts.hostHandler === null ? null : { kind: "host", handler: facts.hostHandler };
}

/** binfmt_misc can be mounted in a user namespace since Linux 6.7. */
export function kernelHasOwnBinfmt({ kernel }: Pick<HostFacts, "kernel">): boolean {
  return kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 7);
}
