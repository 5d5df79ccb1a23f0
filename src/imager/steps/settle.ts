import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../core/errors.ts";
import { settledDescription, settledShadow } from "../formats/settled-text.ts";
import type { Settle } from "../step.ts";
import type { StepContext } from "./context.ts";
import { mountOn } from "./mount-root.ts";
import { namesIn } from "./names-in.ts";
import { realPathInRoot } from "./root-path.ts";
import { hostProgram } from "./run.ts";

/** Nothing of the tree is younger than the epoch afterwards, neither what files say nor the files themselves. */
export async function settle(step: Settle, context: StepContext): Promise<void> {
  const { epochSeconds, root } = step;
  const database = await realPathInRoot(root, "/var/lib/pacman/local");
  for (const name of await namesIn(database))
    await rewrite(join(database, name, "desc"), (text) => settledDescription(text, epochSeconds));
  const shadow = await realPathInRoot(root, "/etc/shadow");
  await rewrite(shadow, (text) => settledShadow(text, epochSeconds));
  const tree = step.upper ?? (await bareTree(root, context));
  const date = `@${epochSeconds}`;
  const touch = ["touch", "--no-dereference", `--date=${date}`, "--"];
  await hostProgram(
    ["find", tree, "-xdev", "-depth", "-newermt", date, "-exec", ...touch, "{}", "+"],
    {},
    context,
  );
}

/** Through a bind mount, which shows what lies under /proc, /run and what else is mounted on the tree. */
async function bareTree(root: string, context: StepContext): Promise<string> {
  const tree = join(context.scratch, `settle-${context.step}`);
  await mkdir(tree);
  await mountOn(tree, ["--bind", root], context);
  return tree;
}

/** In place, which keeps owner and mode, and not at all where nothing changes: the file may be of a layer below. */
async function rewrite(path: string, settled: (text: string) => string): Promise<void> {
  try {
    const text = await readFile(path, "utf8");
    const wanted = settled(text);
    if (wanted !== text) await writeFile(path, wanted);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
