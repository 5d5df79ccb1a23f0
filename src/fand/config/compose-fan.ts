import type { Table } from "../../config/parse-table.ts";
import type { Diagnosis } from "../../config/problem.ts";
import { nearest } from "../../core/nearest.ts";
import type { ControlSettings, CurveRule, OnOffRule } from "../control/control.ts";
import { celsius, fullSpeed, percent } from "../units.ts";
import { defaultControl, defaultCurve, defaultCurveRule, defaultOnOffRule } from "./defaults.ts";
import type { fanShape } from "./fand-tables.ts";
import { type Fan, hottest, isOwnSensor, type SensorSettings } from "./settings.ts";

type FanTable = Table<typeof fanShape>;

/** Keys that mean nothing in the other mode. */
export const curveKeys = [
  "curve",
  "interpolation",
  "hysteresis",
  "attack",
  "decay",
  "step",
  "fall_step",
  "minimum_duty",
  "start_duty",
  "start_kick",
  "frequency",
  "range",
] as const;
export const onOffKeys = ["on", "off"] as const;

/** One fan; null where it has no backend. What is wrong goes to the diagnosis. */
export function composeFan(
  table: FanTable,
  path: string,
  index: number,
  sensors: readonly SensorSettings[],
  diagnosis: Diagnosis,
): Fan | null {
  const { values } = table;
  const at = (key: keyof typeof fanShape) => (path === "" ? key : `${path}.${key}`);
  const mode = values.mode ?? (values.backend === "gpio" ? "on-off" : "pwm");
  const backend = values.backend ?? "auto";
  if (!table.failed("mode"))
    for (const key of mode === "pwm" ? onOffKeys : curveKeys)
      if (values[key] !== undefined)
        diagnosis.add(
          at(key),
          {
            problem: `has no meaning in mode ${mode}`,
            found: null,
            remedy: mode === "pwm" ? 'remove it, or set mode = "on-off"' : 'remove it, or set mode = "pwm"',
          },
          undefined,
        );
  if (backend === "gpio" && mode === "pwm")
    diagnosis.add(
      at("mode"),
      { problem: "backend gpio can only switch", remedy: 'use mode = "on-off", or another backend' },
      mode,
    );
  if (["pwm", "gpio", "pigpio"].includes(backend) && values.pin === undefined && !table.failed("pin"))
    diagnosis.add(
      at("pin"),
      { problem: `backend ${backend} needs it`, found: null, remedy: "name the fan's GPIO: pin = 18" },
      undefined,
    );
  for (const key of ["chip", "channel"] as const)
    if (values[key] !== undefined && backend !== "hwmon" && backend !== "auto")
      diagnosis.add(
        at(key),
        { problem: `has no meaning for backend ${backend}`, remedy: 'remove it, or use backend = "hwmon"' },
        values[key],
      );
  if (backend === "none") return null;
  const followed = sensorsOf(values.sensors, at("sensors"), sensors, diagnosis);
  const own = sensors.filter(isOwnSensor).map((sensor) => sensor.name);
  return {
    name: values.name ?? (index === 0 ? "fan" : `fan${index + 1}`),
    backend,
    pin: values.pin ?? null,
    mode,
    chip: values.chip ?? null,
    channel: values.channel ?? null,
    sensors: followed,
    guards: own.some((one) => followed.includes(one)) ? [] : own,
    frequencyHz: values.frequency ?? null,
    isInverted: values.inverted ?? false,
    range: values.range ?? null,
    control: controlOf(table, mode, at, diagnosis),
  };
}

/** Those that are named, else the Pi's own and all of the file. */
function sensorsOf(
  named: readonly string[] | undefined,
  key: string,
  sensors: readonly SensorSettings[],
  diagnosis: Diagnosis,
): readonly string[] {
  const names = sensors.map(({ name }) => name);
  if (named === undefined) return names;
  if (named.length === 0)
    diagnosis.add(key, { problem: "a fan without a sensor", remedy: "name one, or leave it out" }, named);
  for (const [index, name] of named.entries()) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    const remedy = meant === undefined ? `there is ${names.join(", ")}` : `did you mean ${meant}?`;
    diagnosis.add(`${key}[#${index + 1}]`, { problem: "no such sensor", remedy }, name);
  }
  return [...new Set(named)];
}

function controlOf(
  table: FanTable,
  mode: Fan["mode"],
  at: (key: keyof typeof fanShape) => string,
  diagnosis: Diagnosis,
): ControlSettings {
  const { values } = table;
  const shared = {
    minimumOnSeconds: values.minimum_on ?? defaultControl.minimumOnSeconds,
    critical: celsius(values.critical ?? defaultControl.critical ?? Number.NaN),
  };
  if (mode === "on-off")
    return {
      ...shared,
      rule: onOffRule(table, at, diagnosis),
      minimumDuty: fullSpeed,
      startKick: { duty: fullSpeed, seconds: 0 },
    };
  const { startKick } = defaultControl;
  const rule = curveRule(table, at, diagnosis);
  // a curve of one's own that asks for less knows its fan
  const slowest = Math.min(
    defaultControl.minimumDuty,
    ...rule.curve.points.map(({ duty }) => duty).filter((duty) => duty > 0),
  );
  return {
    ...shared,
    rule,
    minimumDuty: percent(values.minimum_duty ?? slowest),
    startKick: {
      duty: percent(values.start_duty ?? startKick.duty),
      seconds: values.start_kick ?? startKick.seconds,
    },
  };
}

function onOffRule(
  { values }: FanTable,
  at: (key: keyof typeof fanShape) => string,
  diagnosis: Diagnosis,
): OnOffRule {
  const gap = defaultOnOffRule.on - defaultOnOffRule.off;
  const on = values.on ?? (values.off === undefined ? defaultOnOffRule.on : values.off + gap);
  const off = values.off ?? on - gap;
  if (off >= on)
    diagnosis.add(
      at("off"),
      { problem: `not below on = ${on}`, remedy: "leave a gap, or the fan flutters" },
      off,
    );
  const critical = values.critical ?? defaultControl.critical;
  if (critical !== null && on > critical)
    diagnosis.warn(
      at("on"),
      `is ${on} °C, above critical: the fan runs from ${critical} °C`,
      `use ${critical} or less`,
    );
  return { rule: "on-off", on: celsius(on), off: celsius(off) };
}

function curveRule(
  table: FanTable,
  at: (key: keyof typeof fanShape) => string,
  diagnosis: Diagnosis,
): CurveRule {
  const { values } = table;
  const points =
    values.curve?.map(([temperature, duty]) => ({ at: celsius(temperature), duty: percent(duty) })) ??
    defaultCurve.points;
  if (points.length === 0)
    diagnosis.add(at("curve"), { problem: "a curve without points", remedy: "give it one" }, []);
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    const place = `${at("curve")}[#${index + 1}]`;
    if (point.at <= before.at)
      diagnosis.add(
        place,
        { problem: `not above ${before.at} °C, the point before`, remedy: "sort them by temperature" },
        point.at,
      );
    else if (point.duty < before.duty)
      diagnosis.add(
        place,
        {
          problem: `slower than ${before.duty} %, the point before`,
          remedy: "a hotter Pi needs a faster fan: correct one of them",
        },
        point.duty,
      );
  }
  const interpolation = values.interpolation ?? "linear";
  const critical = values.critical ?? defaultControl.critical ?? hottest;
  const full = points.find(({ duty }) => duty === fullSpeed);
  const last = points.at(-1);
  if (last !== undefined && full === undefined)
    diagnosis.warn(
      at("curve"),
      critical < hottest
        ? `ends at ${last.duty} %: full speed comes at ${critical} °C only`
        : `ends at ${last.duty} %, and critical is ${critical} °C: nothing ever brings full speed but doubt`,
      "add a point of 100 %, such as [72, 100]",
    );
  else if (full !== undefined && full.at > critical)
    diagnosis.warn(
      at("curve"),
      `reaches 100 % at ${full.at} °C, above critical: the fan jumps to full speed at ${critical} °C`,
      `reach 100 % at ${critical} °C or below`,
    );
  return {
    rule: "curve",
    curve: { interpolation, points },
    hysteresis: values.hysteresis ?? defaultCurveRule.hysteresis,
    attack: values.attack ?? defaultCurveRule.attack,
    decay: values.decay ?? defaultCurveRule.decay,
    // a curve of steps has its own
    step: percent(values.step ?? (interpolation === "steps" ? 0 : defaultCurveRule.step)),
    fallStep: percent(values.fall_step ?? defaultCurveRule.fallStep),
  };
}
