import { parseSample, type Sample } from "../../core/exposition.ts";
import { printable } from "../../core/printable.ts";

/** The state of the daemon, as its metrics say it (`render-metrics.ts`). Names are harmless for a terminal. */
export interface FandStatus {
  readonly version: string | null;
  /** Of the last whole round, since the epoch; null: there was none yet. */
  readonly updatedSeconds: number | null;
  readonly intervalSeconds: number;
  /** Above it nobody may slow a fan down by hand, in °C; null where there is no fan. */
  readonly overrideLimit: number | null;
  readonly sensors: readonly SensorStatus[];
  readonly fans: readonly FanStatus[];
  /** Names of reasons; null: the kernel does not say. */
  readonly throttledNow: readonly string[] | null;
  readonly throttledSinceBoot: readonly string[] | null;
}

export interface SensorStatus {
  readonly name: string;
  /** °C; null: in doubt. */
  readonly temperature: number | null;
}

/** Duties in percent. */
export interface FanStatus {
  readonly name: string;
  /** What it follows, in °C; null: in doubt. */
  readonly temperature: number | null;
  readonly duty: number;
  /** What its rule asks for. */
  readonly wanted: number;
  readonly minimum: number;
  /** null: its turns are not counted. */
  readonly rpm: number | null;
  readonly isStalled: boolean;
  readonly isLost: boolean;
  readonly changes: number;
  readonly errors: number;
  /** What is set by hand. */
  readonly override: { readonly duty: number; readonly untilSeconds: number } | null;
}

/** @returns null: not what the daemon writes */
export function parseMetrics(text: string): FandStatus | null {
  const samples = text
    .split("\n")
    .map(parseSample)
    .filter((sample) => sample !== null)
    .filter(({ value }) => Number.isFinite(value));
  const build = samples.find(({ name }) => name === "berry_build_info");
  if (build === undefined) return null;
  const find = (name: string, label?: string, value?: string) =>
    samples.find((one) => one.name === name && (label === undefined || one.labels.get(label) === value))
      ?.value ?? null;
  const named = (name: string, label: string) =>
    samples.flatMap((one) => (one.name === name ? (one.labels.get(label) ?? []) : []));
  const version = build.labels.get("version");
  return {
    version: version === undefined ? null : printable(version),
    updatedSeconds: find("berry_fan_last_update_timestamp_seconds"),
    intervalSeconds: find("berry_fan_interval_seconds") ?? 1,
    overrideLimit: find("berry_fan_override_limit_celsius"),
    sensors: named("berry_sensor_in_doubt", "sensor").map((sensor) => ({
      name: printable(sensor),
      temperature: find("berry_cpu_temperature_celsius", "sensor", sensor),
    })),
    fans: named("berry_fan_duty_ratio", "fan").map((fan) => fanOf(fan, (name) => find(name, "fan", fan))),
    throttledNow: reasonsOf(samples, "berry_throttled"),
    throttledSinceBoot: reasonsOf(samples, "berry_throttled_since_boot"),
  };
}

function fanOf(fan: string, find: (name: string) => number | null): FanStatus {
  const percentOf = (name: string) => {
    const ratio = find(name);
    return ratio === null ? null : Math.round(ratio * 10_000) / 100;
  };
  const duty = percentOf("berry_fan_duty_ratio") ?? 0;
  const set = percentOf("berry_fan_override_duty_ratio");
  const untilSeconds = find("berry_fan_override_end_timestamp_seconds");
  return {
    name: printable(fan),
    temperature: find("berry_fan_temperature_celsius"),
    duty,
    wanted: percentOf("berry_fan_rule_duty_ratio") ?? duty,
    minimum: percentOf("berry_fan_minimum_duty_ratio") ?? 0,
    rpm: find("berry_fan_speed_rpm"),
    isStalled: find("berry_fan_stalled") === 1,
    isLost: find("berry_fan_lost") === 1,
    changes: find("berry_fan_changes_total") ?? 0,
    errors: find("berry_fan_errors_total") ?? 0,
    override: set === null || untilSeconds === null ? null : { duty: set, untilSeconds },
  };
}

function reasonsOf(samples: readonly Sample[], name: string): readonly string[] | null {
  const all = samples.filter((sample) => sample.name === name);
  if (all.length === 0) return null;
  return all
    .filter(({ value }) => value === 1)
    .map(({ labels }) => printable(labels.get("reason") ?? "unknown"));
}
