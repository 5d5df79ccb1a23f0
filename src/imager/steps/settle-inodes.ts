import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { settleInodesScript, usedInodes } from "../formats/settled-inodes.ts";
import type { StepContext } from "./context.ts";
import { programFailure } from "./program-failure.ts";

/**
 * Sets when each inode of a new ext4 was changed and read: mke2fs(8) takes that of the tree that it reads,
 * and of those two nobody can say what they are to be.
 */
export async function settleInodes(
  image: string,
  offset: number,
  epochSeconds: number,
  context: StepContext,
): Promise<void> {
  const device = `${basename(image)}?offset=${offset}`;
  const script = join(context.scratch, "settle-script");
  const used = usedInodes((await run(["debugfs", "-R", "show_super_stats", device])).stdout);
  await writeFile(script, settleInodesScript(used, epochSeconds));
  // debugfs(8) answers 0 whatever happens: anything on stderr but its version is a failure
  const { stderr } = await run(["debugfs", "-w", "-f", script, device]);
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (complaints.length > 0)
    throw new BerryError("software", `cannot settle the image: ${complaints.slice(0, 12).join("; ")}`);

  /** Not by hostProgram, which would tell a line for every inode. */
  async function run(argv: readonly string[]) {
    const options = { cwd: dirname(image), env: context.environment };
    const result = await context.runner.run(argv, options, context.signal);
    if (result.exitCode !== 0) throw programFailure(argv, result);
    return result;
  }
}
