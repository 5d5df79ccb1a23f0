import { defineGroup } from "../cli/verb.ts";

/** `berry probe …`: each verb lives in a file of its own, loaded when it is called. */
export const probe = defineGroup({
  description: "find the nodes of the cluster, and say how they are",
  examples: ["berry probe", "berry probe --expect 4", "berry probe --watch", "berry probe announce"],
  defaultVerb: "find",
  commands: {
    find: {
      description: "list the nodes and how they are: who lives, how warm, how full; and who is missing",
      load: async () => (await import("./probe/find.ts")).find,
    },
    announce: {
      description: "let avahi announce this machine as a node: its serial, model, role and berry's version",
      load: async () => (await import("./probe/announce.ts")).announce,
    },
    monitor: {
      description: "let a Prometheus of yours watch the nodes",
      load: async () => (await import("./probe/monitor.ts")).monitor,
    },
  },
});
