import type { LayerPlan } from "../bake-plan.ts";
import type { Step } from "../step.ts";

/** Where a layer is made, before it has its name. */
export interface LayerPlace {
  readonly work: string;
  readonly root: string;
  /** For what the layer needs while it is made; gone when it is published. */
  readonly temporary: string;
}

export interface LayerRequest {
  readonly name: string;
  readonly cacheDirectory: string;
  readonly cachedLayers: readonly string[];
  /** The layers below, topmost first. */
  readonly below: readonly LayerPlan[];
  /** Inputs that the steps do not show, such as a date that asks for fresh packages. */
  readonly salt: readonly string[];
  readonly hash: (text: string) => string;
  readonly steps: (place: LayerPlace) => readonly Step[];
}

/**
 * A layer under the hash of all that goes into it: its own steps with every value, and the keys of the
 * layers below. Checks are left out, as they change nothing. The steps are made twice, first with a place that has no name, so that the key can be
 * part of the paths.
 */
export function planLayer(request: LayerRequest): LayerPlan {
  const anonymous = request.steps(placeOf("/work")).filter((step) => step.do !== "check-lock");
  const key = request
    .hash(
      JSON.stringify(
        [request.name, anonymous, request.below.map((layer) => layer.key), request.salt],
        withoutCache(request.cacheDirectory),
      ),
    )
    .slice(0, 16);
  const name = `${request.name}-${key}`;
  const work = `${request.cacheDirectory}/work/${name}`;
  const place = placeOf(work);
  return {
    name: request.name,
    key,
    directory: `${request.cacheDirectory}/layers/${name}`,
    work,
    lower: lowerOf(request.below, request.cacheDirectory),
    root: place.root,
    steps: request.steps(place),
    cached: request.cachedLayers.includes(name),
  };
}

/** For JSON: where the cache lies is no part of what a layer is. No path has the character that stands for it. */
function withoutCache(cacheDirectory: string): (key: string, value: unknown) => unknown {
  return (_, value) => (typeof value === "string" ? value.replaceAll(`${cacheDirectory}/`, "\0/") : value);
}

/** overlayfs wants at least one lower folder: an empty one stands under the first layer. */
function lowerOf(below: readonly LayerPlan[], cacheDirectory: string): string[] {
  return below.length === 0 ? [`${cacheDirectory}/empty`] : treesOf(below);
}

/** The trees of published layers, in their order. */
export function treesOf(layers: readonly LayerPlan[]): string[] {
  return layers.map(({ directory }) => `${directory}/tree`);
}

function placeOf(work: string): LayerPlace {
  return { work, root: `${work}/root`, temporary: `${work}/tmp` };
}

/** What a layer changes of the trees below, while it is made. */
export function upperOf({ work }: LayerPlace): string {
  return `${work}/tree`;
}

/** The step after which programs of the image can run. */
export function openRoot(root: string): Step {
  return { title: "open the image", do: "open-root", root };
}
