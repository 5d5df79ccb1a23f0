import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StepContext } from "../steps/context.ts";
import { removeTree } from "../steps/remove-tree.ts";
import { hostProgram } from "../steps/run.ts";
import type { CleanTask } from "./task.ts";

/** What berry keeps in its cache; nothing else there is touched. */
const kept = { layers: ["layers", "work", "empty"], downloads: ["downloads", "apt", "pacman"] } as const;

/** Removes layers, and downloads if asked to. @returns bytes of disk that this freed */
export async function cleanInside(task: CleanTask, context: StepContext): Promise<number> {
  const present = new Set(await readdir(task.cacheDirectory));
  const folders = [...kept.layers, ...(task.downloads ? kept.downloads : [])].filter((name) =>
    present.has(name),
  );
  const paths = folders.map((name) => join(task.cacheDirectory, name));
  if (paths.length === 0) return 0;
  const { stdout } = await hostProgram(
    ["du", "--summarize", "--block-size=1", "--total", ...paths],
    {},
    context,
  );
  for (const path of paths) await removeTree(path);
  return Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0);
}
