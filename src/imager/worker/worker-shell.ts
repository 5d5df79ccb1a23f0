import { BerryError } from "../../core/errors.ts";
import type { StepContext } from "../steps/context.ts";
import { mountRoot } from "../steps/mount-root.ts";
import { perform } from "../steps/perform.ts";
import { imageEnvironment } from "../steps/run.ts";
import type { ShellTask } from "./task.ts";

/**
 * Opens the tree that a node's image was packed from, its own files included, and hands the terminal to a
 * program in it. What the program changes lies in memory and is forgotten.
 */
export async function shellInside(task: ShellTask, terminal: string, context: StepContext): Promise<void> {
  const { node, command } = task;
  await mountRoot(
    { root: node.root, lower: node.lower, upper: node.upper, overlayWork: `${node.work}/overlay` },
    context,
  );
  for (const step of node.steps) {
    // a key that a bake has yet to make is of no use to a shell
    if (step.do !== "patch-image" && step.do !== "write-host-key") await perform(step, context);
  }
  const child = Bun.spawn(["chroot", node.root, ...(command ?? ["/bin/bash", "-l"])], {
    env: { ...context.environment, ...imageEnvironment, TERM: terminal, LC_ALL: undefined, LANG: "C.UTF-8" },
    stdio: ["inherit", "inherit", "inherit"],
  });
  const onAbort = (): void => child.kill("SIGKILL");
  context.signal.addEventListener("abort", onAbort, { once: true });
  const exitCode = await child.exited;
  context.signal.removeEventListener("abort", onAbort);
  context.signal.throwIfAborted();
  if (exitCode !== 0 && command !== null) {
    throw new BerryError("software", `${command.join(" ")} ended with exit code ${exitCode}`);
  }
}
