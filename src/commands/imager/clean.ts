import { stat } from "node:fs/promises";
import { defineVerb } from "../../cli/verb.ts";
import { formatBytes } from "../../core/units.ts";
import { prepareCache } from "../../imager/cache-folder-file.ts";
import { runWorkerProcess } from "../../imager/worker/worker-process.ts";
import { cacheDirectory, clusterArguments, ownArgv } from "./prepare.ts";

export const clean = defineVerb({
  description: "remove layers from the cache; images and downloads stay",
  examples: ["berry imager clean", "berry imager clean --all"],
  args: {
    "cache-dir": clusterArguments["cache-dir"],
    all: { type: "boolean", description: "downloads as well: tarballs and packages" },
  },
  async run({ args, json, stdout, signal }) {
    const folder = cacheDirectory(args["cache-dir"]);
    let freedBytes = 0;
    if (await stat(folder).catch(() => null)) {
      await prepareCache(folder);
      await runWorkerProcess(
        {
          workerArgv: [...ownArgv(), "imager", "worker"],
          cacheDirectory: folder,
          outputDirectory: null,
          isRoot: process.getuid?.() === 0,
          message: { task: "clean", cacheDirectory: folder, downloads: args.all },
          environment: process.env,
        },
        (event) => {
          if (event.event === "cleaned") freedBytes = event.freedBytes;
        },
        signal,
      );
    }
    stdout.write(
      json
        ? `${JSON.stringify({ event: "cleaned", cacheDirectory: folder, freedBytes })}\n`
        : `freed ${formatBytes(freedBytes)} in ${folder}\n`,
    );
  },
});
