import type { Node } from "../../config/cluster.ts";
import type { LayerPlan, NodeSoftware } from "../bake-plan.ts";
import type { BerryFile } from "../facts/host-facts.ts";
import type { LockedPackage } from "../lock/lock.ts";
import type { PackageOrigin } from "../software/software.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import type { LayerPlace } from "./layer.ts";
import { tarballOf } from "./pacman-layers.ts";
import type { PlanRequest } from "./plan.ts";

/** Who installs what a layer of that name adds. */
const origins: Readonly<Record<string, PackageOrigin>> = {
  rootfs: "rootfs",
  system: "mirror",
  packages: "mirror",
  berry: "file",
  image: "script",
};

/** What the script of berry.toml installed: nobody knows the files. */
export function noteScript(target: Target, place: LayerPlace): Step {
  return {
    title: "note the packages",
    do: "list-software",
    root: place.root,
    database: target.family === "apt" ? "dpkg" : "pacman",
    files: { kind: "none" },
    into: place.work,
  };
}

/** Where the software list of a node comes from, and where it goes. @param layers topmost first */
export function nodeSoftware(node: Node, layers: readonly LayerPlan[], request: PlanRequest): NodeSoftware {
  const { cluster, facts, lock, berry } = request;
  const { target } = request.target;
  return {
    target: target.name,
    family: target.family,
    rootfs: target.family === "pacman" ? tarballOf(target) : null,
    // a package is among the packages
    berry:
      facts.berry === null || facts.berry.package !== null
        ? null
        : { sha256: facts.berry.sha256, version: berry.inImages },
    berryPackage: facts.berry === null ? null : lockedBerry(facts.berry),
    layers: layers.toReversed().flatMap(({ name, directory }) => {
      const origin = origins[name];
      return origin === undefined ? [] : [{ directory, origin }];
    }),
    partial: `${cluster.outputDirectory}/.${node.name}.cdx.json.partial`,
    output: `${cluster.outputDirectory}/${node.name}.cdx.json`,
    berryVersion: berry.baking,
    epochSeconds: facts.sourceDateEpoch,
    locked: lock?.[node.name] ?? null,
  };
}

function lockedBerry({ sha256, package: found }: BerryFile): LockedPackage | null {
  if (found === null) return null;
  const { version, architecture } = found;
  return { name: "berry", version, architecture, origin: "file", sha256, removed: false };
}
