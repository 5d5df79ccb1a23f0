import { defineGroup } from "../cli/verb.ts";

/** `berry imager …`: each verb lives in a file of its own, loaded when it is called. */
export const imager = defineGroup({
  description: "bake the SD-card images of the nodes that berry.toml names, and write the cards",
  examples: ["berry imager", "berry imager pi1", "berry imager write pi1 /dev/sdb"],
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
    plan: {
      description: "print what bake would do as a shell script, and touch nothing",
      load: async () => (await import("./imager/plan.ts")).plan,
    },
    shell: {
      description: "open an arm64 shell inside a node's image; its changes are forgotten",
      load: async () => (await import("./imager/shell.ts")).shell,
    },
    export: {
      description: "pack images for other writers of SD cards, each with a block map",
      load: async () => (await import("./imager/export.ts")).exportVerb,
    },
    clean: {
      description: "remove layers from the cache; images and downloads stay",
      load: async () => (await import("./imager/clean.ts")).clean,
    },
    devices: {
      description: "list the cards that may be written, and why other disks may not",
      load: async () => (await import("./imager/devices.ts")).devices,
    },
    targets: {
      description: "list the image targets that berry knows",
      load: async () => (await import("./imager/targets.ts")).targets,
    },
    write: {
      description: "write images to SD cards, all at once, and read everything back",
      load: async () => (await import("./imager/write.ts")).write,
    },
    "write-card": {
      description: "write one card as standard input says; berry calls this itself",
      hidden: true,
      load: async () => (await import("./imager/write-card.ts")).writeCard,
    },
    worker: {
      description: "do a task that comes on standard input; berry calls this itself",
      hidden: true,
      load: async () => (await import("./imager/worker.ts")).worker,
    },
  },
});
