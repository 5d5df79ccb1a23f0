import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { examineFand, settingsOf } from "../../fand/config/fand-load.ts";
import { drawSvg } from "../../fand/simulate/draw-svg.ts";
import { modelTrace } from "../../fand/simulate/model-trace.ts";
import { rpifandRule, ruleOf, usualSteps } from "../../fand/simulate/rules.ts";
import { shippedTraces } from "../../fand/simulate/shipped-traces.ts";
import { type Compared, compareRules } from "../../fand/simulate/compare-rules.ts";
import { parseTrace, type Trace } from "../../fand/simulate/trace.ts";
import { judgeDrawing, saveDrawing } from "./save-drawing.ts";
import { comparedObject, tellCompared, tellSummary } from "./tell-simulation.ts";

/** `berry fand simulate`: what a configuration makes of a trace, beside what rpifand would have made of it. */
export const simulate = defineVerb({
  description: "replay temperatures or loads, and compare the fan's rule with that of rpifand",
  examples: [
    "berry fand simulate",
    "berry fand simulate --trace builds --svg builds.svg",
    "berry fand simulate --model --config fand.toml",
    "berry fand simulate --trace temperatures.csv",
  ],
  args: {
    trace: {
      type: "string",
      valueHint: "FILE|NAME",
      description: `seconds,celsius or seconds,watts in a file; or ${Object.keys(shippedTraces).join(", ")}: all of these`,
    },
    model: { type: "boolean", description: "a made-up day of a node's load, warming a Pi 4" },
    config: { type: "string", valueHint: "FILE", description: "the configuration: that of this machine" },
    fan: { type: "string", valueHint: "NAME", description: "which fan of it: the first" },
    svg: { type: "string", valueHint: "FILE", description: "draw the trace, and what became of it" },
  },
  async run({ args, json, stdout, log, signal }) {
    const traces = await tracesOf(args.trace, args.model);
    const report = await examineFand(args.config ?? null, process.getuid?.() ?? 0);
    const settings = settingsOf(report);
    const fan = settings.fans.find(({ name }) => args.fan === undefined || name === args.fan);
    if (fan === undefined)
      throw new BerryError(
        "usage",
        args.fan === undefined ? "there is no fan to simulate" : `no fan ${args.fan}`,
        {
          hint: `the configuration has ${settings.fans.map(({ name }) => name).join(", ") || "none"}`,
        },
      );
    const steps = report.rpifand?.steps ?? usualSteps;
    const rules = {
      berry: ruleOf(fan, settings),
      mended: rpifandRule(steps, true),
      original: rpifandRule(steps, false),
    };
    if (args.svg !== undefined && traces.length > 1)
      throw new BerryError("usage", "--svg draws one trace", { hint: "name it: --trace builds, or --model" });
    const shipped = args.trace !== undefined && Object.hasOwn(shippedTraces, args.trace);
    const svg =
      args.svg === undefined
        ? null
        : await judgeDrawing(args.svg, [args.config, shipped ? undefined : args.trace]);
    const all: Compared[] = [];
    for (const trace of traces) {
      signal.throwIfAborted();
      const start = performance.now();
      const compared = compareRules(trace, rules);
      all.push(compared);
      const seconds = Math.max(0.000_001, (performance.now() - start) / 1000);
      if (json) stdout.write(`${JSON.stringify(comparedObject(compared))}\n`);
      else stdout.write(tellCompared(compared, (3 * trace.values.length) / seconds, stdout.columns));
    }
    if (!json && all.length > 1) stdout.write(tellSummary(all));
    const [first] = all;
    if (svg === null || first === undefined) return;
    await saveDrawing(svg, drawSvg(`berry fand simulate: ${first.trace.name}`, first.rules));
    log.info(`drew ${args.svg}`);
  },
});

async function tracesOf(named: string | undefined, isModel: boolean): Promise<readonly Trace[]> {
  if (isModel && named !== undefined)
    throw new BerryError("usage", "--model and --trace are two", { hint: "choose one of them" });
  if (isModel) return [modelTrace()];
  if (named === undefined) return Object.entries(shippedTraces).map(([name, text]) => parseTrace(text, name));
  const shipped = Object.hasOwn(shippedTraces, named) ? shippedTraces[named] : undefined;
  if (shipped !== undefined) return [parseTrace(shipped, named)];
  const file = Bun.file(named);
  if (!(await file.exists()))
    throw new BerryError("no-input", `${named}: no such file`, {
      hint: `name a file, or one of ${Object.keys(shippedTraces).join(", ")}`,
    });
  if (file.size > 64 * 1024 * 1024)
    throw new BerryError("bad-data", `${named}: ${file.size} bytes are no trace`, {
      hint: "name another file",
    });
  return [parseTrace(await file.text(), named)];
}
