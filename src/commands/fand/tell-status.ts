import { formatTable } from "../../cli/table.ts";
import { formatSeconds } from "../../core/units.ts";
import type { Health } from "../../fand/daemon/judge-status.ts";
import type { FandStatus, FanStatus } from "../../fand/daemon/parse-metrics.ts";

/** For people. @param wallSeconds since the epoch */
export function tellStatus(status: FandStatus, health: Health, wallSeconds: number): readonly string[] {
  const sensors = formatTable(
    [{ title: "sensor" }, { title: "temperature", align: "right" }],
    status.sensors.map(({ name, temperature }) => [name, degrees(temperature)]),
  );
  const fans =
    status.fans.length === 0
      ? "no fan: temperatures are reported, and nothing is driven\n"
      : formatTable(
          [
            { title: "fan" },
            { title: "duty", align: "right" },
            { title: "wanted", align: "right" },
            { title: "rpm", align: "right" },
            { title: "changes", align: "right" },
            { title: "errors", align: "right" },
            { title: "by hand" },
            { title: "state" },
          ],
          status.fans.map((fan) => [
            fan.name,
            percents(fan.duty),
            percents(fan.wanted),
            fan.rpm === null ? "-" : String(fan.rpm),
            String(fan.changes),
            String(fan.errors),
            byHand(fan, wallSeconds),
            stateOf(fan),
          ]),
        );
  const age = health.ageSeconds === null ? "no word of" : `${Math.round(health.ageSeconds)} s ago:`;
  return [
    ...`${sensors}\n${fans}`.trimEnd().split("\n"),
    "",
    `throttled now: ${reasons(status.throttledNow)}; since boot: ${reasons(status.throttledSinceBoot)}`,
    `${age} a whole round by berry ${status.version ?? "of an unknown version"}`,
  ];
}

/** What `--json` prints. @param told null: the daemon has not run since the machine was started */
export function statusObject(
  told: { readonly status: FandStatus; readonly health: Health } | null,
  wallSeconds: number,
): Readonly<Record<string, unknown>> {
  if (told === null) return { state: "absent" };
  const { status, health } = told;
  return {
    state: health.state,
    ailments: health.ailments,
    version: status.version,
    age_seconds: health.ageSeconds === null ? null : Math.round(health.ageSeconds),
    interval_seconds: status.intervalSeconds,
    override_limit_celsius: status.overrideLimit,
    sensors: status.sensors.map(({ name, temperature }) => ({
      name,
      temperature_celsius: temperature,
      in_doubt: temperature === null,
    })),
    fans: status.fans.map((fan) => ({
      name: fan.name,
      temperature_celsius: fan.temperature,
      duty_percent: fan.duty,
      wanted_percent: fan.wanted,
      minimum_percent: fan.minimum,
      speed_rpm: fan.rpm,
      stalled: fan.isStalled,
      lost: fan.isLost,
      changes: fan.changes,
      errors: fan.errors,
      override:
        fan.override === null
          ? null
          : { duty_percent: fan.override.duty, seconds_left: secondsLeft(fan.override, wallSeconds) },
    })),
    throttled_now: status.throttledNow,
    throttled_since_boot: status.throttledSinceBoot,
  };
}

function byHand({ override, duty }: FanStatus, wallSeconds: number): string {
  if (override === null) return "-";
  const isHeldBack = duty > override.duty + 1;
  const left = formatSeconds(secondsLeft(override, wallSeconds));
  return `${override.duty} % for ${left}${isHeldBack ? ", held back" : ""}`;
}

function secondsLeft({ untilSeconds }: { readonly untilSeconds: number }, wallSeconds: number): number {
  return Math.max(0, Math.round(untilSeconds - wallSeconds));
}

function stateOf({ isLost, isStalled }: FanStatus): string {
  return isLost ? "does not follow" : isStalled ? "does not turn" : "ok";
}

function degrees(temperature: number | null): string {
  return temperature === null ? "in doubt" : `${temperature.toFixed(1)} °C`;
}

function percents(duty: number): string {
  return `${Math.round(duty)} %`;
}

function reasons(names: readonly string[] | null): string {
  return names === null ? "not known" : names.length === 0 ? "no" : names.join(", ");
}
