import { defineGroup } from "../cli/verb.ts";

/** `berry fand …`: each verb lives in a file of its own, loaded when it is called. */
export const fand = defineGroup({
  description: "cool a Pi: drive its fans, and judge and try out what drives them",
  examples: [
    "berry fand",
    "berry fand status",
    "berry fand check",
    "berry fand simulate",
    "berry fand migrate",
  ],
  defaultVerb: "run",
  commands: {
    run: {
      description: "drive the fans until SIGTERM, which leaves them at full speed; SIGHUP reloads",
      load: async () => (await import("./fand/run.ts")).run,
    },
    status: {
      description: "say how warm it is, how the fans turn, and whether the daemon is at work",
      load: async () => (await import("./fand/status.ts")).status,
    },
    set: {
      description: "set a fan by hand for a while; never below its rule where it is too warm",
      load: async () => (await import("./fand/set.ts")).set,
    },
    check: {
      description: "judge a fan configuration and what it would use on this machine; nothing is driven",
      load: async () => (await import("./fand/check.ts")).check,
    },
    doctor: {
      description:
        "look at the board, and say what is missing for its fans and what mends it; nothing is driven",
      load: async () => (await import("./fand/doctor.ts")).doctor,
    },
    migrate: {
      description: "print the configuration of rpifand as a fand.toml",
      load: async () => (await import("./fand/migrate.ts")).migrate,
    },
    simulate: {
      description: "replay temperatures or loads, and compare the fan's rule with that of rpifand",
      load: async () => (await import("./fand/simulate.ts")).simulate,
    },
    calibrate: {
      description:
        "find the slowest duty of a fan with a tachometer, and the one that starts it, in a minute",
      load: async () => (await import("./fand/calibrate.ts")).calibrate,
    },
    failsafe: {
      description: "bring every fan to full speed, as systemd does when the daemon has ended",
      load: async () => (await import("./fand/failsafe.ts")).failsafe,
    },
    settings: {
      description: "print a judged configuration as JSON; berry calls this itself",
      hidden: true,
      load: async () => (await import("./fand/settings.ts")).settings,
    },
  },
});
