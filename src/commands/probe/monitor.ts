import { defineGroup } from "../../cli/verb.ts";

/** `berry probe monitor …`: what a Prometheus needs that watches the nodes. */
export const monitor = defineGroup({
  description: "let a Prometheus of yours watch the nodes",
  examples: ["berry probe monitor init"],
  commands: {
    init: {
      description: "write configuration, alerts and a unit that keeps the list of nodes, for your Prometheus",
      load: async () => (await import("./monitor/init.ts")).init,
    },
  },
});
