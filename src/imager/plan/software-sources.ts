import type { Node } from "../../config/cluster.ts";
import type { LayerPlan, NodeSoftware } from "../bake-plan.ts";
import type { Step } from "../step.ts";
import type { Target } from "../target.ts";
import type { LayerPlace } from "./layer.ts";
import { tarballOf } from "./pacman-layers.ts";
import type { PlanRequest } from "./plan.ts";

/** Who installs what a layer of that name adds. */
const origins = { rootfs: "rootfs", system: "mirror", packages: "mirror", image: "script" } as const;

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
    berry: facts.berry === null ? null : { sha256: facts.berry.sha256, version: berry.inImages },
    layers: layers
      .toReversed()
      .flatMap(({ name, directory }) =>
        name === "rootfs" || name === "system" || name === "packages" || name === "image"
          ? [{ directory, origin: origins[name] }]
          : [],
      ),
    partial: `${cluster.outputDirectory}/.${node.name}.cdx.json.partial`,
    output: `${cluster.outputDirectory}/${node.name}.cdx.json`,
    berryVersion: berry.baking,
    epochSeconds: facts.sourceDateEpoch,
    locked: lock?.[node.name] ?? null,
  };
}
