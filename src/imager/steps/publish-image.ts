import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { compareImages, refuseDifferences } from "../lock/compare-lock.ts";
import { lockedImage } from "../lock/lock.ts";
import { readSoftware } from "../software/software-file.ts";
import { softwareList } from "../software/cyclonedx.ts";
import type { Software } from "../software/software.ts";
import type { NodePlan } from "../bake-plan.ts";

/**
 * What a node's image will be made of.
 * @throws BerryError when it is not what is locked, see `refuseDifferences`
 */
export async function nodeSoftware({ node, software }: NodePlan): Promise<Software> {
  const found = await readSoftware(software);
  if (software.locked !== null)
    refuseDifferences(`the image of ${node}`, compareImages(software.locked, lockedImage(found)));
  return found;
}

/**
 * Gives a whole image its name, and its software list with it. The old list goes before the old image does:
 * whatever ends this, a list never stands beside an image that it does not describe; at worst there is none.
 */
export async function publishImage(
  { node, partial, output, software }: NodePlan,
  found: Software,
): Promise<void> {
  const { berryVersion, epochSeconds } = software;
  const text = softwareList({ node, software: found, berryVersion, epochSeconds, hash });
  {
    await using file = await open(software.partial, "w", 0o644);
    await file.writeFile(text);
    await file.sync();
  }
  await rm(software.output, { force: true });
  await rename(partial, output);
  await rename(software.partial, software.output);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
