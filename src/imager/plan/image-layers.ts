import type { Node } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { MiB } from "../../core/units.ts";
import type { LayerPlan } from "../bake-plan.ts";
import { nativeDebian } from "../facts/host-facts.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { AptPlace } from "./apt-files.ts";
import { aptPackageSteps, aptSystemSteps, nativeToolSteps } from "./apt-layers.ts";
import { customiseSteps } from "./customise-steps.ts";
import { packedSettled } from "./disk-identity.ts";
import { planLayer } from "./layer.ts";
import type { LayerPlace, LayerRequest } from "./layer.ts";
import { berryPackageSteps, pacmanPackageSteps, pacmanSystemSteps, rootfsSteps } from "./pacman-layers.ts";
import type { PacmanPlace } from "./pacman-tool.ts";
import type { PlanRequest } from "./plan.ts";
import { packagesOf } from "./probe-steps.ts";
import { settleSteps } from "./settle-steps.ts";
import { noteScript } from "./software-sources.ts";

/**
 * The layers of one node's image, topmost first; each is made known from the lowest up.
 * @throws BerryError `config` when the target needs what neither berry.toml nor the host says
 */
export function imageLayers(
  node: Node,
  request: PlanRequest,
  add: (layer: LayerPlan) => LayerPlan,
): LayerPlan[] {
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
