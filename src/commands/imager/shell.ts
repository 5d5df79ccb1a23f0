import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createProgress } from "../../cli/progress.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { prepareCache } from "../../imager/cache-folder-file.ts";
import { preflight, refuseProblems } from "../../imager/preflight.ts";
import { runInteractiveWorker, runWorkerProcess } from "../../imager/worker/worker-process.ts";
import type { Task } from "../../imager/worker/task.ts";
import { systemClock } from "../../system/clock.ts";
import { ownArgv, planArguments, prepare } from "./prepare.ts";

export const shell = defineVerb({
  description: "open an arm64 shell inside a node's image; its changes are forgotten",
  examples: ["berry imager shell pi1", "berry imager shell pi1 -- systemctl list-unit-files --state=enabled"],
  args: {
    ...planArguments,
    node: { type: "positional", required: true, description: "a node of berry.toml" },
  },
  rest: { name: "COMMAND", description: "run this instead of a shell" },
  async run(context) {
    const { args, rest, log, signal } = context;
    const { cluster, nodes, target, facts, plan } = await prepare(args, [args.node], log, signal);
    refuseProblems(preflight(cluster, nodes, target.target, facts));
    const [node] = plan.nodes;
    if (node === undefined) throw new BerryError("usage", `${args.file} has no node ${args.node}`);
    await prepareCache(facts.cacheDirectory);
    const worker = {
      cacheDirectory: facts.cacheDirectory,
      outputDirectory: null,
      isRoot: facts.isRoot,
      environment: process.env,
    };
    const workerArgv = [...ownArgv(), "imager", "worker"];
    if (plan.layers.some(({ cached }) => !cached)) {
      using progress = createProgress(
        { ...context, json: false, stdout: context.screen.output },
        systemClock,
      );
      const message = {
        task: "bake",
        cacheDirectory: facts.cacheDirectory,
        plan: { ...plan, nodes: [], knownHosts: null },
      } as const;
      await runWorkerProcess({ ...worker, workerArgv, message }, (event) => progress.handle(event), signal);
    }
    await using task = await taskFile(facts.cacheDirectory, {
      task: "shell",
      cacheDirectory: facts.cacheDirectory,
      emulator: plan.emulator,
      node,
      command: rest.length === 0 ? null : rest,
    });
    await runInteractiveWorker({ ...worker, workerArgv: [...workerArgv, "--task", task.path] }, signal);
  },
});

/** A task for a worker whose standard input is the terminal. */
async function taskFile(folder: string, task: Task): Promise<{ readonly path: string } & AsyncDisposable> {
  const own = await mkdtemp(join(folder, "task-"));
  const path = join(own, "task.json");
  await writeFile(path, JSON.stringify(task), { mode: 0o600 });
  return { path, [Symbol.asyncDispose]: async () => await rm(own, { recursive: true, force: true }) };
}
