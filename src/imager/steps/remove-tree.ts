import { readFile, rm } from "node:fs/promises";
import { BerryError } from "../../core/errors.ts";

/**
 * Removes a folder of berry's own with all below it, and refuses while anything is mounted there:
 * a bind mount would lead the removal to files that are not berry's to remove.
 */
export async function removeTree(folder: string): Promise<void> {
  const mounted = (await mountPoints()).filter((point) => point === folder || point.startsWith(`${folder}/`));
  if (mounted.length > 0) {
    throw new BerryError("software", `${folder} was not removed: ${mounted[0]} is still mounted`);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Mount points of this namespace: the fifth field of proc_pid_mountinfo(5), octal escapes decoded. */
export async function mountPoints(): Promise<string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table.split("\n").flatMap((line) => {
    const point = line.split(" ")[4];
    return point === undefined
      ? []
      : [
          point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
            String.fromCharCode(Number.parseInt(octal, 8)),
          ),
        ];
  });
}
