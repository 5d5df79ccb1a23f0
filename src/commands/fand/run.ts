import { defineVerb } from "../../cli/verb.ts";
import { runDaemon } from "./daemon.ts";

/** `berry fand`: the daemon, in the foreground, as systemd wants it. */
export const run = defineVerb({
  description: "drive the fans until SIGTERM, which leaves them at full speed; SIGHUP reloads",
  examples: ["berry fand run", "berry fand run --config fand.toml"],
  args: {
    config: { type: "string", valueHint: "FILE", description: "the configuration: /etc/berry/fand.toml" },
  },
  async run({ args, log, signal }) {
    await runDaemon(args.config, log, signal);
  },
});
