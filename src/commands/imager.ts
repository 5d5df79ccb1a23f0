import { defineGroup } from "../cli/verb.ts";

/** `berry imager …`: each verb lives in a file of its own, loaded when it is called. */
export const imager = defineGroup({
  description: "bake the SD-card images of the nodes that berry.toml names",
  examples: ["berry imager", "berry imager pi1", "berry imager targets"],
  defaultVerb: "bake",
  commands: {
    bake: {
      description: "bake an SD-card image for each node, without root",
      load: async () => (await import("./imager/bake.ts")).bake,
    },
    boot: {
      description: "boot a node's image on an emulated Pi and report what came up",
      load: async () => (await import("./imager/boot.ts")).boot,
    },
    targets: {
      description: "list the image targets that berry knows",
      load: async () => (await import("./imager/targets.ts")).targets,
    },
    worker: {
      description: "do a plan that comes on standard input; berry calls this itself",
      hidden: true,
      load: async () => (await import("./imager/worker.ts")).worker,
    },
  },
});
