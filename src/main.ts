import { daemonWords } from "./cli/daemon-words.ts";
import { defineGroup } from "./cli/verb.ts";
import { createLog } from "./system/log.ts";

/** The root command. */
export const berry = defineGroup({
  description:
    "run a Raspberry Pi cluster at home: bake and write its SD cards from one file, cool its boards, find its nodes",
  examples: ["berry init", "berry imager", "berry probe", "berry doctor"],
  commands: {
    init: {
      description: "write a berry.toml for a new cluster",
      load: async () => (await import("./commands/init.ts")).init,
    },
    imager: {
      description: "bake the SD-card images of the nodes that berry.toml names, and write the cards",
      load: async () => (await import("./commands/imager.ts")).imager,
    },
    fand: {
      description: "cool a Pi: drive its fans, and judge and try out what drives them",
      load: async () => (await import("./commands/fand.ts")).fand,
    },
    probe: {
      description: "find the nodes of the cluster, and say how they are",
      load: async () => (await import("./commands/probe.ts")).probe,
    },
    doctor: {
      description:
        "look at this machine: can it bake, write, cool and probe, what is missing, and what mends it",
      load: async () => (await import("./commands/doctor.ts")).doctor,
    },
    completions: {
      description: "print what makes bash, zsh or fish complete berry's commands, nodes, targets and cards",
      load: async () => (await import("./commands/completions.ts")).completions,
    },
    manual: {
      description: "write the manual's pages into a folder",
      hidden: true,
      load: async () => (await import("./commands/manual.ts")).manual,
    },
    complete: {
      description: "print what the last word may become; the shells' completions ask it",
      hidden: true,
      load: async () => (await import("./commands/complete.ts")).complete,
    },
  },
});

if (import.meta.main) {
  const daemon = daemonWords(process.argv.slice(2));
  if (daemon !== null) await (await import("./commands/fand/daemon-process.ts")).startDaemon(daemon.config);
  else await (await import("./cli/start.ts")).start(berry, "berry", createLog);
}
