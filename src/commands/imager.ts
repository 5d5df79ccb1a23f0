import { defineGroup } from "../cli/verb.ts";

/** `berry imager …`: each verb lives in a file of its own, loaded when it is called. */
export const imager = defineGroup({
  description: "bake the SD-card images of the nodes that berry.toml names",
  examples: ["berry imager targets"],
  commands: {
    targets: {
      description: "list the image targets that berry knows",
      load: async () => (await import("./imager/targets.ts")).targets,
    },
  },
});
