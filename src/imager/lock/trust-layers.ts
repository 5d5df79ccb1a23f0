import { composeSoftware, imageSoftware } from "../software/compose-software.ts";
import type { LayerNotes } from "../software/software.ts";
import type { NodePlan, Plan } from "../bake-plan.ts";
import { compareImages, compareRootfs, refuseDifferences, strangers } from "./compare-lock.ts";
import { lockedImage } from "./lock.ts";

/**
 * Refuses what can be known to differ before anything is done.
 * @throws BerryError when target, berry or the tarball's address are not what is locked
 */
export function refuseOtherInputs(plan: Plan): void {
  for (const { node, software } of plan.nodes) {
    const { locked, target, berry, berryPackage, rootfs } = software;
    if (locked === null) continue;
    const asked = {
      ...locked,
      target,
      berrySha256: berry?.sha256 ?? null,
      rootfs: rootfs === null ? null : { ...rootfs, sha256: locked.rootfs?.sha256 ?? "" },
      packages: [
        ...locked.packages.filter(({ origin }) => origin !== "file"),
        ...(berryPackage === null ? [] : [berryPackage]),
      ],
    };
    refuseDifferences(`the image of ${node}`, compareImages(locked, asked));
  }
}

/**
 * The plan, in which layers of the cache that do not fit the lock are made anew, together with all that stand upon
 * them: what the mirrors give now may fit.
 * @param notesOf of layers in the cache, by their folder; null: it has none
 */
export function trustLayers(plan: Plan, notesOf: (directory: string) => LayerNotes | null): Plan {
  const distrusted = new Set(plan.nodes.flatMap((node) => misfits(node, notesOf)));
  const layers = plan.layers.map((layer) => {
    const trees = [`${layer.directory}/tree`, ...layer.lower];
    return trees.some((tree) => distrusted.has(tree.replace(/\/tree$/, "")))
      ? { ...layer, cached: false }
      : layer;
  });
  return { ...plan, layers };
}

/** The folder of the lowest layer that does not fit; of none while the image fits, or is not made yet. */
function misfits(
  { software }: NodePlan,
  notesOf: (directory: string) => LayerNotes | null,
): readonly string[] {
  const { locked, family, rootfs } = software;
  if (locked === null) return [];
  const notes: LayerNotes[] = [];
  for (const { directory, origin } of software.layers) {
    const found = notesOf(directory);
    // not in the cache, and so nothing above it is
    if (found === null) return [];
    notes.push(found);
    const { packages, tarballSha256 } = composeSoftware(family, notes);
    const differences =
      origin === "rootfs"
        ? compareRootfs(
            locked.rootfs,
            rootfs === null || tarballSha256 === null ? null : { ...rootfs, sha256: tarballSha256 },
          )
        : strangers(
            locked.packages,
            packages.filter((each) => each.origin === origin),
          );
    if (differences.length > 0) return [directory];
  }
  if (compareImages(locked, lockedImage(imageSoftware(software, notes))).length === 0) return [];
  // something is missing, and no layer says which one should have had it
  return software.layers
    .filter(({ origin }) => origin !== "rootfs")
    .slice(0, 1)
    .map(({ directory }) => directory);
}
