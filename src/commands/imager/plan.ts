import { defineVerb } from "../../cli/verb.ts";
import { preflight } from "../../imager/preflight.ts";
import { planJson } from "../../imager/script/password-hashes.ts";
import { planScript } from "../../imager/script/script.ts";
import { planArguments, prepare } from "./prepare.ts";

export const plan = defineVerb({
  description: "print what bake would do as a shell script, and touch nothing",
  examples: ["berry imager plan", "berry imager plan pi1 --refresh", "berry imager plan --json"],
  args: planArguments,
  rest: { name: "NODE", description: "nodes of berry.toml; all of them by default" },
  async run({ args, rest, json, stdout, log, signal }) {
    const prepared = await prepare(args, rest, log, signal);
    const { cluster, nodes, target, facts } = prepared;
    for (const { what, remedy } of preflight(cluster, nodes, target.target, facts)) log.warn(what, remedy);
    stdout.write(json ? `${planJson(prepared.plan)}\n` : planScript(prepared.plan, { isRoot: facts.isRoot }));
  },
});
