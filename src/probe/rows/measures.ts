import type { Row } from "../row.ts";

/** What a row comes to, in the units in which people speak of it; null: not known. */
export interface Measures {
  /** °C. */
  readonly temp: number | null;
  /** Percent of full speed, of the fastest fan. */
  readonly fan: number | null;
  /** Turns a minute, of the slowest fan. */
  readonly rpm: number | null;
  /** Of one minute. */
  readonly load: number | null;
  /** Percent in use. */
  readonly memory: number | null;
  /** Percent in use, of the root file system. */
  readonly disk: number | null;
  /** Seconds. */
  readonly uptime: number | null;
  /** Why its firmware slows it down now. */
  readonly throttled: readonly string[] | null;
  readonly health: "ok" | "warning" | "critical" | null;
}

export function measuresOf({ health, ailments }: Row): Measures {
  const duties = known(health?.fans.map(({ dutyRatio }) => dutyRatio));
  const speeds = known(health?.fans.map(({ rpm }) => rpm));
  return {
    temp: health?.temperature ?? null,
    fan: duties.length === 0 ? null : 100 * Math.max(...duties),
    rpm: speeds.length === 0 ? null : Math.min(...speeds),
    load: health?.load1 ?? null,
    memory: used(health?.memory?.available, health?.memory?.total),
    disk: used(health?.disk?.available, health?.disk?.size),
    uptime: uptimeOf(health?.now ?? null, health?.bootTime ?? null),
    throttled: health?.throttled ?? null,
    health: health === null ? null : (worst(ailments) ?? "ok"),
  };
}

function known(values: readonly (number | null)[] | undefined): readonly number[] {
  return (values ?? []).filter((value) => value !== null);
}

function used(available: number | undefined, total: number | undefined): number | null {
  if (available === undefined || total === undefined) return null;
  return Math.max(0, 100 * (1 - available / total));
}

/** By the node's own clock, which may have been set since. */
function uptimeOf(now: number | null, bootTime: number | null): number | null {
  return now === null || bootTime === null || now < bootTime ? null : now - bootTime;
}

function worst(ailments: Row["ailments"]): "critical" | "warning" | null {
  if (ailments.some(({ severity }) => severity === "critical")) return "critical";
  return ailments.length > 0 ? "warning" : null;
}
