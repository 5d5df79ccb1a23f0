import { createStyle } from "../../cli/style.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { diagnose } from "../../fand/doctor/diagnose.ts";
import { lookAtBoard } from "./look-at-board.ts";
import { tellFindings } from "./tell-doctor.ts";

/** `berry fand doctor`: what is missing on this board for its fans, and what mends it; nothing is touched. */
export const doctor = defineVerb({
  description: "look at the board, and say what is missing for its fans and what mends it; nothing is driven",
  examples: ["berry fand doctor", "berry fand doctor fand.toml"],
  args: {
    file: { type: "positional", required: false, description: "the configuration: that of this machine" },
  },
  async run({ args, json, stdout, signal }) {
    const facts = await lookAtBoard(args.file ?? null, signal);
    signal.throwIfAborted();
    const findings = diagnose(facts);
    stdout.write(
      json
        ? `${JSON.stringify({ model: facts.machine.model, findings })}\n`
        : tellFindings(findings, createStyle(stdout.color))
            .map((line) => `${line}\n`)
            .join(""),
    );
    const problems = findings.filter((finding) => finding.severity === "problem");
    const [first] = problems;
    if (first === undefined) return;
    const count = problems.length === 1 ? "one thing is" : `${problems.length} things are`;
    throw new BerryError(first.kind, `${count} missing for berry fand`, {
      hint: "the lines above say what mends it; berry fand doctor again says whether it did",
    });
  },
});
