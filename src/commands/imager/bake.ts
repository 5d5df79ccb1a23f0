import { createProgress } from "../../cli/progress.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { prepareCache } from "../../imager/cache-folder-file.ts";
import { prepareHostKeys } from "../../imager/host-keys-file.ts";
import { preflight, refuseProblems } from "../../imager/preflight.ts";
import { unreproducible } from "../../imager/source-date-epoch.ts";
import { runWorkerProcess } from "../../imager/worker/worker-process.ts";
import { systemClock } from "../../system/clock.ts";
import { commandRunner } from "../../system/command-runner.ts";
import { noteImages, refuseDamagedLock } from "./lock.ts";
import { ownArgv, planArguments, prepare } from "./prepare.ts";

export const bake = defineVerb({
  description: "bake an SD-card image for each node, without root",
  examples: [
    "berry imager bake",
    "berry imager bake pi1 pi2",
    "berry imager bake --refresh",
    "berry imager bake --locked",
  ],
  args: {
    ...planArguments,
    locked: {
      type: "boolean",
      description:
        "bake nothing but what the lock beside the cluster file has, or fail and tell what differs",
    },
  },
  rest: { name: "NODE", description: "nodes of berry.toml; all of them by default" },
  async run(context) {
    if (context.args.locked && context.args.refresh)
      throw new BerryError("usage", "--locked wants the packages of the lock, and --refresh today's", {
        hint: "leave one of them out",
      });
    const { cluster, nodes, target, facts, plan } = await prepare(
      context.args,
      context.rest,
      context.log,
      context.signal,
    );
    refuseProblems(preflight(cluster, nodes, target.target, facts));
    if (!context.args.locked) await refuseDamagedLock(cluster);
    await prepareHostKeys(
      { nodes: cluster.nodes, baked: nodes, sshKeygen: facts.programs["ssh-keygen"] ?? "ssh-keygen" },
      commandRunner,
      context.signal,
    );
    for (const { what, remedy } of unreproducible(nodes, facts)) context.log.warn(what, remedy);
    await prepareCache(facts.cacheDirectory);
    using progress = createProgress(context, systemClock);
    const baked = new Set<string>();
    const work = runWorkerProcess(
      {
        workerArgv: [...ownArgv(), "imager", "worker"],
        cacheDirectory: facts.cacheDirectory,
        outputDirectory: cluster.outputDirectory,
        isRoot: facts.isRoot,
        message: { task: "bake", cacheDirectory: facts.cacheDirectory, plan },
        environment: process.env,
      },
      (event) => {
        if (event.event === "image") baked.add(event.node);
        progress.handle(event);
      },
      context.signal,
    );
    const [result] = await Promise.allSettled([work]);
    // images that have their names are noted, however the bake ended
    const [noted] = await Promise.allSettled([context.args.locked ? null : noteImages(cluster, plan, baked)]);
    if (result.status === "rejected") throw result.reason;
    if (noted.status === "rejected") throw noted.reason;
    if (noted.value !== null) context.log.info(noted.value);
  },
});
