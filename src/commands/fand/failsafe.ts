import failsafeScript from "../../../systemd/berry-fand-failsafe.sh" with { type: "text" };
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { commandRunner } from "../../system/command-runner.ts";

/** `berry fand failsafe`: the very script that systemd runs when the daemon has ended. */
export const failsafe = defineVerb({
  description: "bring every fan to full speed, as systemd does when the daemon has ended",
  examples: ["berry fand failsafe"],
  async run({ json, stdout, log, signal }) {
    const env = { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin" };
    const { exitCode, stderr } = await commandRunner.run(
      ["/bin/sh", "-s"],
      { stdin: failsafeScript, env },
      signal,
    );
    const said = stderr
      .trim()
      .replaceAll(/^berry-fand-failsafe: /gm, "")
      .replaceAll("\n", "; ");
    if (exitCode !== 0)
      throw new BerryError("io", said === "" ? `the script ended with ${exitCode}` : said, {
        hint: "run it as root; berry fand check says what drives your fans",
      });
    if (said !== "") log.warn(said);
    if (json) stdout.write(`${JSON.stringify({ raised: said === "" })}\n`);
    else if (said === "") stdout.write("every fan runs at full speed\n");
  },
});
