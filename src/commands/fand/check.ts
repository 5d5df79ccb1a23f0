import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import { examineFand, settingsOf } from "../../fand/config/fand-load.ts";
import { inspect } from "../../fand/inspect-file.ts";
import { inspectionObject, tellInspection } from "./tell-inspection.ts";

/** `berry fand check`: judges the configuration, and what it comes to on this machine; drives nothing. */
export const check = defineVerb({
  description: "judge a fan configuration and what it would use on this machine; nothing is driven",
  examples: [
    "berry fand check",
    "berry fand check /etc/berry/fand.toml",
    "berry fand check --file-only fand.toml",
  ],
  args: {
    file: {
      type: "positional",
      required: false,
      description: "the configuration: /etc/berry/fand.toml, else that of rpifand, else the defaults",
    },
    "file-only": { type: "boolean", description: "judge the file alone, not this machine" },
  },
  async run({ args, json, stdout, log }) {
    const uid = process.getuid?.() ?? 0;
    const report = await examineFand(args.file ?? null, uid);
    const settings = settingsOf(report);
    for (const { key, file, message, hint } of report.warnings) log.warn(`${file}: ${key}: ${message}`, hint);
    const about = {
      file: settings.file,
      dialect: settings.dialect,
      interval_seconds: settings.intervalSeconds,
    };
    const name = settings.file === null ? "no configuration: the defaults" : `${report.file}: valid`;
    if (args["file-only"]) {
      stdout.write(json ? `${JSON.stringify(about)}\n` : `${name}\n`);
      return;
    }
    const inspection = inspect(settings, systemRoots, uid === 0);
    for (const { name: sensor, warnings } of inspection.sensors)
      for (const { message, hint } of warnings) log.warn(`sensor ${sensor}: ${message}`, hint);
    for (const { fan, warnings } of inspection.fans)
      for (const { message, hint } of warnings) log.warn(`fan ${fan.name}: ${message}`, hint);
    const lines = [name, ...tellInspection(inspection)];
    stdout.write(
      json
        ? `${JSON.stringify({ ...about, ...inspectionObject(inspection) })}\n`
        : lines.map((line) => `${line}\n`).join(""),
    );
    const blind = inspection.sensors
      .filter(({ doubt }) => doubt !== null)
      .map((sensor) => `sensor ${sensor.name}`);
    const idle = inspection.fans.filter(({ output }) => output === null).map(({ fan }) => `fan ${fan.name}`);
    if (blind.length + idle.length > 0)
      throw new BerryError(
        "unavailable",
        `cannot be used on this machine: ${[...blind, ...idle].join(", ")}`,
        {
          hint: "the lines above say why; --file-only judges the file alone",
        },
      );
  },
});
