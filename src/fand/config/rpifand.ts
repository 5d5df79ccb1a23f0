import * as z from "zod";
import { isTable, parseTable, type Shape, type Values } from "../../config/parse-table.ts";
import type { Diagnosis } from "../../config/problem.ts";
import type { Curve } from "../control/curve.ts";
import { celsius, fullSpeed, percent, standstill } from "../units.ts";
import { freeze } from "./compose-fand.ts";
import { defaultControl } from "./defaults.ts";
import { cpuSensor, defaultLimits, type Fan, type FandSettings } from "./settings.ts";

/**
 * The file of the original, `rpifand`, a daemon in Go: whole numbers, keys whatever their case, unknown keys passed
 * over. Its fan followed the highest of the newest readings, in six steps.
 */
export interface RpifandFile {
  readonly settings: FandSettings;
  readonly steps: RpifandSteps | null;
}

/** The temperatures and speeds of its levels 0 to 5. */
export interface RpifandSteps {
  readonly temperatures: readonly number[];
  readonly speeds: readonly number[];
}

const levels = [0, 1, 2, 3, 4, 5] as const;
const whole = z.number().int();

const mainShape = {
  gpio_pin: whole.min(0).max(27),
  mode: z.string(),
  thermal_interval_seconds: whole.min(1).max(60),
  tail_range: whole.min(1).max(10_000),
};
const onOffShape = { temp_threshold_celsius: whole.min(-40).max(125) };
const pwmShape: Shape = Object.fromEntries(
  levels.flatMap((level) => [
    [`temp_celsius_lv${level}`, whole.min(-40).max(125)],
    [`fan_spped_lv${level}`, whole.min(0).max(4_294_967_295)],
  ]),
);

/** It set the clock to 38 kHz × 4 and counted to 100. */
export const rpifandFrequencyHz = 1520;

/** Whether a file is one of the original's. */
export function isRpifand(content: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(content).some((key) => key.toUpperCase() === "MAIN");
}

/** @returns the settings; they count only where the diagnosis has no problem */
export function composeRpifand(
  content: Readonly<Record<string, unknown>>,
  file: string | null,
  diagnosis: Diagnosis,
): RpifandFile {
  const main = tableOf(content, "MAIN", mainShape, diagnosis);
  if (main.gpio_pin === undefined) missing("MAIN.gpio_pin", content, diagnosis);
  if (main.thermal_interval_seconds === undefined)
    missing("MAIN.thermal_interval_seconds", content, diagnosis);
  if (main.tail_range === undefined) missing("MAIN.tail_range", content, diagnosis);
  const isOnOff = main.mode === "ONOFF";
  if (!isOnOff && main.mode !== "PWM")
    diagnosis.warn(
      "MAIN.mode",
      `${main.mode === undefined ? "is missing" : `is ${JSON.stringify(main.mode)}`}: the original took anything but "ONOFF" for "PWM"`,
      'write mode = "PWM" or mode = "ONOFF"',
    );
  const steps = isOnOff ? null : stepsOf(content, diagnosis);
  const curve = steps === null ? thresholdCurve(content, diagnosis) : stepCurve(steps);
  if (diagnosis.problems.length === 0) warnOfHeat(curve, steps, diagnosis);
  const fan: Fan = {
    name: "fan",
    backend: "auto",
    pin: main.gpio_pin ?? null,
    mode: isOnOff ? "on-off" : "pwm",
    chip: null,
    channel: null,
    sensors: [cpuSensor.name],
    guards: [],
    frequencyHz: isOnOff ? null : rpifandFrequencyHz,
    isInverted: false,
    range: null,
    control: {
      rule: { rule: "rpifand", curve, readings: main.tail_range ?? 1 },
      minimumDuty: standstill,
      startKick: { duty: standstill, seconds: 0 },
      minimumOnSeconds: 0,
      // the one thing that the original did not have: its file may ask for anything where it is hot
      critical: defaultControl.critical,
    },
  };
  return {
    steps,
    settings: freeze({
      file,
      dialect: "rpifand",
      intervalSeconds: main.thermal_interval_seconds ?? 1,
      fans: [fan],
      sensors: [cpuSensor],
      limits: defaultLimits,
    }),
  };
}

/**
 * The duty of the original at a temperature. It had no case for lv0 up to lv1 and ran at the last speed there:
 * mended, that is level 0, as below it.
 */
export function rpifandSpeed(
  { temperatures, speeds }: RpifandSteps,
  temperature: number,
  isMended: boolean,
): number {
  const limit = (level: number) => temperatures[level] ?? 0;
  const isBelow = temperature < limit(0) || (isMended && limit(0) <= temperature && temperature < limit(1));
  const between = levels.find(
    (level) => level > 0 && level < 5 && limit(level) <= temperature && temperature < limit(level + 1),
  );
  return Math.min(100, speeds[isBelow ? 0 : (between ?? 5)] ?? 100);
}

/** Its steps as a curve, exactly, in whatever order they stand; its duties may fall, as the original's did. */
export function stepCurve(steps: RpifandSteps, isMended = true): Curve {
  const limits = [...new Set(steps.temperatures)].sort((one, other) => one - other);
  return {
    interpolation: "steps",
    points: [-273, ...limits].map((at) => ({
      at: celsius(at),
      duty: percent(rpifandSpeed(steps, at, isMended)),
    })),
  };
}

/** What is slow where it is hot: the original let it be so. */
function warnOfHeat({ points }: Curve, steps: RpifandSteps | null, diagnosis: Diagnosis): void {
  const { critical } = defaultControl;
  if (critical === null) return;
  const falling = points.find(({ duty }, index) => duty < (points[index - 1]?.duty ?? 0));
  if (falling !== undefined)
    diagnosis.warn(
      "PWM",
      `falls to ${falling.duty} % at ${falling.at} °C: a hotter Pi gets a slower fan, as by the original`,
      "sort the speeds: a hotter Pi needs a faster fan",
    );
  const last = points.findLastIndex(({ duty }) => duty < fullSpeed);
  const full = points[last + 1];
  const key = steps === null ? "ONOFF.temp_threshold_celsius" : "PWM.fan_spped_lv5";
  const instead = `berry runs at full speed from ${critical} °C, whatever the file says`;
  if (full === undefined)
    diagnosis.warn(key, `ends at ${points[last]?.duty} %: ${instead}`, "write 100 for the last level");
  else if (full.at > critical)
    diagnosis.warn(key, `full speed comes at ${full.at} °C: ${instead}`, `use ${critical} or less`);
}

function thresholdCurve(content: Readonly<Record<string, unknown>>, diagnosis: Diagnosis): Curve {
  const threshold = tableOf(content, "ONOFF", onOffShape, diagnosis).temp_threshold_celsius;
  if (threshold === undefined) missing("ONOFF.temp_threshold_celsius", content, diagnosis);
  return {
    interpolation: "steps",
    points: [
      { at: celsius(-273), duty: percent(0) },
      { at: celsius(threshold ?? 0), duty: percent(100) },
    ],
  };
}

function stepsOf(content: Readonly<Record<string, unknown>>, diagnosis: Diagnosis): RpifandSteps {
  const values = tableOf(content, "PWM", pwmShape, diagnosis);
  const numbers = (key: string) =>
    levels.map((level) => {
      const value = values[`${key}${level}`];
      if (value === undefined) missing(`PWM.${key}${level}`, content, diagnosis);
      return typeof value === "number" ? value : 0;
    });
  const steps = { temperatures: numbers("temp_celsius_lv"), speeds: numbers("fan_spped_lv") };
  const [lowest = 0, next = 0] = steps.temperatures;
  if (lowest < next)
    diagnosis.warn(
      "PWM",
      `from ${lowest} up to ${next} °C the original ran at ${rpifandSpeed(steps, lowest, false)} %, for want of a case; berry runs at ${rpifandSpeed(steps, lowest, true)} % there, as below`,
      "berry fand migrate writes the file anew",
    );
  for (const [level, temperature] of steps.temperatures.entries())
    if (temperature < (steps.temperatures[level - 1] ?? temperature))
      diagnosis.warn(
        `PWM.temp_celsius_lv${level}`,
        `is ${temperature}, below the level before: the fan runs at ${steps.speeds[5]} % where no level fits`,
        "sort the temperatures",
      );
  for (const [level, speed] of steps.speeds.entries())
    if (speed > 100) diagnosis.warn(`PWM.fan_spped_lv${level}`, `is ${speed}: that is 100 %`, "write 100");
  return steps;
}

/** The table by its name or its other case, with keys as the original read them. */
function tableOf<S extends Shape>(
  content: Readonly<Record<string, unknown>>,
  name: string,
  shape: S,
  diagnosis: Diagnosis,
): Values<S> {
  const raw = content[name] ?? Object.entries(content).find(([key]) => key.toUpperCase() === name)?.[1] ?? {};
  if (!isTable(raw)) return parseTable(shape, raw, name, diagnosis).values;
  const known: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const lower = key.toLowerCase();
    const meant = lower.replace("fan_speed_lv", "fan_spped_lv");
    if (!Object.hasOwn(shape, meant) || (meant !== lower && Object.hasOwn(raw, meant))) {
      diagnosis.warn(
        `${name}.${key}`,
        "the original does not know this key, and passes over it",
        "remove it",
      );
      continue;
    }
    if (meant !== lower)
      diagnosis.warn(
        `${name}.${key}`,
        `the original spells it ${meant}, and took 0 for what is not there; berry takes ${String(value)}`,
        "berry fand migrate writes the file anew",
      );
    known[meant] = value;
  }
  return parseTable(shape, known, name, diagnosis).values;
}

function missing(path: string, content: Readonly<Record<string, unknown>>, diagnosis: Diagnosis): void {
  const [table = "", key = ""] = path.split(".");
  const raw = Object.entries(content).find(([name]) => name.toUpperCase() === table)?.[1];
  const isThere = isTable(raw) && Object.keys(raw).some((name) => name.toLowerCase() === key);
  if (isThere) return;
  diagnosis.add(
    path,
    { problem: "missing: the original took 0 for it", found: null, remedy: "write it down" },
    undefined,
  );
}
