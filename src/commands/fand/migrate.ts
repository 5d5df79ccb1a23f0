import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { examineFand, fandFiles, settingsOf } from "../../fand/config/fand-load.ts";
import { renderMigrated } from "../../fand/config/render-fand.ts";

/** `berry fand migrate`: the configuration of rpifand as one of berry's; nothing is written but stdout. */
export const migrate = defineVerb({
  description: "print the configuration of rpifand as a fand.toml",
  examples: ["berry fand migrate", "berry fand migrate rpifand.toml"],
  args: {
    file: { type: "positional", required: false, description: `the file of rpifand: ${fandFiles[1]}` },
  },
  async run({ args, json, stdout, log }) {
    const report = await examineFand(args.file ?? fandFiles[1], process.getuid?.() ?? 0);
    settingsOf(report);
    if (report.rpifand === null)
      throw new BerryError("bad-data", `${report.file}: not a file of rpifand: it has no [MAIN]`, {
        hint: `berry fand migrate ${fandFiles[1]}`,
      });
    for (const { key, file, message, hint } of report.warnings)
      log.warn(`${file}: ${key}: ${message}`, hint.startsWith("berry fand migrate") ? undefined : hint);
    const toml = renderMigrated(report.rpifand);
    stdout.write(json ? `${JSON.stringify({ toml })}\n` : toml);
  },
});
