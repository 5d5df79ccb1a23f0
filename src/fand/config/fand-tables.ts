import { isAbsolute } from "node:path";
import * as z from "zod";
import type { Flaw } from "../../config/problem.ts";
import { backendNames, coldest, hottest } from "./settings.ts";

/** The keys of each table of fand.toml. What two keys must agree on is checked later. */

const parsed = <Value>(parse: (value: unknown) => Value | Flaw) =>
  z.unknown().transform((value, context): Value => {
    const result = parse(value);
    if (!isFlaw(result)) return result;
    context.issues.push({ code: "custom", params: { flaw: result }, input: value });
    return z.NEVER;
  });

function isFlaw(value: unknown): value is Flaw {
  return typeof value === "object" && value !== null && "problem" in value && "remedy" in value;
}

/** Seconds: a number of them, or a string with a unit. */
const duration = (least: number, most: number) =>
  parsed((value): number | Flaw => {
    const remedy = 'use seconds, or a string such as "500ms", "30s", "10m"';
    const seconds = typeof value === "string" ? parseDuration(value) : value;
    if (typeof seconds !== "number" || !Number.isFinite(seconds))
      return { problem: "not a duration", remedy };
    if (seconds < least) return { problem: "too short", remedy: `use ${least} s or more` };
    return seconds > most ? { problem: "too long", remedy: `use ${most} s or less` } : seconds;
  });

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };

function parseDuration(text: string): number | null {
  const parts = /^(\d{1,6}(?:\.\d{1,3})?) ?(ms|s|m|min|h)$/.exec(text.trim());
  return parts === null ? null : Number(parts[1]) * (unitSeconds[parts[2] ?? ""] ?? Number.NaN);
}

/** A name for logs, metrics and file names. */
const label = parsed((value): string | Flaw =>
  typeof value === "string" && /^[a-z0-9][a-z0-9_-]{0,30}$/.test(value)
    ? value
    : {
        problem: "not a name",
        remedy: "use up to 31 small letters, digits, - and _, beginning with a letter or digit",
      },
);

/** What the kernel calls something: one line of printable text. */
const kernelName = parsed((value): string | Flaw =>
  typeof value === "string" && /^[ -~]{1,63}$/.test(value)
    ? value
    : { problem: "not a name of the kernel's", remedy: "use what is in the name or type file, in quotes" },
);

const absolutePath = parsed((value): string | Flaw =>
  typeof value === "string" && isAbsolute(value) && !/[\0\n\r]/.test(value)
    ? value
    : { problem: "not an absolute path", remedy: "start it with a slash" },
);

const temperature = z.number().min(coldest).max(hottest);
const duty = z.number().min(0).max(100);

const point = parsed((value): readonly [at: number, duty: number] | Flaw => {
  const remedy = "use [temperature, duty], such as [60, 50]";
  const pair = z.tuple([temperature, duty]).safeParse(value);
  if (pair.success) return pair.data;
  const isPair = z.tuple([z.number(), z.number()]).safeParse(value);
  if (!isPair.success) return { problem: "not a point of a curve", remedy };
  const [at, wanted] = isPair.data;
  return {
    problem: "a point of no curve",
    found: `[${at}, ${wanted}]`,
    remedy: `use temperatures of ${coldest} to ${hottest} °C, duties of 0 to 100 %`,
  };
});

export const fanShape = {
  name: label,
  backend: z.enum(backendNames),
  pin: z.number().int().min(0).max(27),
  mode: z.enum(["pwm", "on-off"]),
  chip: kernelName,
  channel: z.number().int().min(1).max(16),
  sensors: z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(label)),
  curve: z.array(point),
  interpolation: z.enum(["linear", "steps"]),
  hysteresis: z.number().min(0).max(30),
  attack: z.number().min(0.1).max(10_000),
  decay: z.number().min(0.001).max(10_000),
  step: z.number().min(0).max(100),
  fall_step: z.number().min(0).max(100),
  minimum_duty: duty,
  start_duty: duty,
  start_kick: duration(0, 30),
  minimum_on: duration(0, 86_400),
  critical: temperature,
  on: temperature,
  off: temperature,
  frequency: z.number().min(1).max(1_000_000),
  inverted: z.boolean(),
  range: z.number().int().min(2).max(1_000_000),
};

export const sensorShape = {
  name: label,
  type: kernelName,
  hwmon: kernelName,
  label: kernelName,
  file: absolutePath,
  stuck_after: duration(1, 86_400),
  minimum: temperature,
  maximum: temperature,
};

export const limitsShape = {
  override: z.number().min(40).max(80),
  calibration: z.number().min(40).max(80),
};

export const topShape = { interval: duration(0.2, 60) };
