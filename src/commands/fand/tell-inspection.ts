import type { FanChoice } from "../../fand/backends/choose-output.ts";
import { describeOutput } from "../../fand/backends/output.ts";
import type { Fan } from "../../fand/config/settings.ts";
import type { ControlSettings } from "../../fand/control/control.ts";
import type { InspectedSensor, Inspection } from "../../fand/inspect-file.ts";

/** What was found, as `--json` prints it. */
export function inspectionObject({ model, sensors, fans }: Inspection): Readonly<Record<string, unknown>> {
  return {
    model,
    sensors,
    fans: fans.map(({ fan, output, refusals, warnings }) => ({
      name: fan.name,
      mode: fan.mode,
      sensors: fan.sensors,
      guards: fan.guards,
      critical: fan.control.critical,
      backend: output?.kind ?? null,
      output,
      refusals,
      warnings,
    })),
  };
}

/** For people: what would be used, and why nothing before it. */
export function tellInspection({ model, sensors, fans }: Inspection): readonly string[] {
  return [
    `machine: ${model ?? "not a Raspberry Pi, as far as a device tree says"}`,
    ...sensors.map(tellSensor),
    ...(fans.length === 0
      ? ["no fan: temperatures are reported, and nothing is driven"]
      : fans.flatMap(tellFan)),
  ];
}

function tellSensor({ name, source, path, temperature, doubt }: InspectedSensor): string {
  const now =
    temperature === null
      ? `${doubt?.kind ?? "unknown"}: ${doubt?.found ?? ""}`
      : `${temperature.toFixed(1)} °C`;
  return `sensor ${name}: ${source}${path === null || source.endsWith(path) ? "" : ` (${path})`}: ${now}`;
}

function tellFan({ fan, output, refusals }: FanChoice): readonly string[] {
  const use = output === null ? "nothing drives it" : `${output.kind}, ${describeOutput(output)}`;
  return [
    `fan ${fan.name}: ${use}`,
    `  by ${fan.sensors.join(", ")}: ${tellRule(fan.control)}${tellGuards(fan)}`,
    ...refusals.map(
      ({ backend, why, remedy }) => `  not ${backend}: ${why}${remedy === null ? "" : `; ${remedy}`}`,
    ),
  ];
}

function tellGuards({ guards, control: { critical } }: Fan): string {
  return guards.length === 0 || critical === null ? "" : `, also of ${guards.join(", ")}`;
}

function tellRule({ rule, minimumDuty, critical }: ControlSettings): string {
  const last = critical === null ? "" : `, full speed from ${critical} °C`;
  switch (rule.rule) {
    case "curve": {
      const points = rule.curve.points.map(({ at, duty }) => `${duty} % at ${at} °C`).join(", ");
      return `${points}${rule.curve.interpolation === "steps" ? " in steps" : ""}, at least ${minimumDuty} %${last}`;
    }
    case "on-off":
      return `on from ${rule.on} °C, off from ${rule.off} °C${last}`;
    case "rpifand": {
      const points = rule.curve.points.slice(1).map(({ at, duty }) => `${duty} % from ${at} °C`);
      return `as rpifand did, the highest of ${rule.readings} readings: ${points.join(", ")}${last}`;
    }
  }
}
