import { defineVerb } from "../../cli/verb.ts";
import { examineFand, settingsOf } from "../../fand/config/fand-load.ts";

/**
 * For the daemon, which calls it as a process of its own: what reads and judges configurations need not stay in
 * memory while a fan is driven for months.
 */
export const settings = defineVerb({
  description: "print a judged configuration as JSON; berry calls this itself",
  examples: ["berry fand settings"],
  args: { file: { type: "positional", required: false, description: "the configuration" } },
  async run({ args, stdout, log }) {
    const report = await examineFand(args.file ?? null, process.getuid?.() ?? 0);
    const judged = settingsOf(report);
    for (const { file, key, message, hint } of report.warnings) log.warn(`${file}: ${key}: ${message}`, hint);
    stdout.write(`${JSON.stringify(judged)}\n`);
  },
});
