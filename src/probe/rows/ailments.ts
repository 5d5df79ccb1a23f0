import {
  diskCriticalPercent,
  diskWarningPercent,
  fanStaleSeconds,
  hotCelsius,
  memoryAvailableWarningPercent,
  shownCelsius,
  warmCelsius,
} from "../health/limits.ts";
import type { FanHealth, Health } from "../health.ts";
import type { Ailment } from "../row.ts";

/** What is wrong with a node, worst first. What its page does not say is not wrong. */
export function ailmentsOf(health: Health): readonly Ailment[] {
  const found = [
    ...ofTemperature(health),
    ...ofThrottling(health),
    ...health.fans.flatMap(ofFan),
    ...ofDaemon(health),
    ...health.doubtfulSensors.map((name) =>
      warning(`sensor ${name} is in doubt, its fans run at full speed`),
    ),
    ...ofDisk(health),
    ...ofMemory(health),
    ...(health.isClockSynchronised === false ? [warning("clock is not synchronised")] : []),
    ...ofUnits(health.failedUnits ?? []),
  ];
  return [
    ...found.filter(({ severity }) => severity === "critical"),
    ...found.filter(({ severity }) => severity === "warning"),
  ];
}

const critical = (what: string): Ailment => ({ severity: "critical", what });
const warning = (what: string): Ailment => ({ severity: "warning", what });

function ofTemperature({ temperature, isTemperatureAbsurd }: Health): readonly Ailment[] {
  if (isTemperatureAbsurd) return [warning("its temperature makes no sense")];
  if (temperature === null) return [];
  const shown = shownCelsius(temperature);
  if (shown < warmCelsius) return [];
  return [shown >= hotCelsius ? critical(`hot: ${shown} °C`) : warning(`warm: ${shown} °C`)];
}

/** What is so now needs no word of what was so since boot. */
function ofThrottling({ throttled, throttledSinceBoot }: Health): readonly Ailment[] {
  const now = throttled ?? [];
  const before = (throttledSinceBoot ?? []).filter((reason) => !now.includes(reason));
  return [
    ...(now.length === 0 ? [] : [critical(`slowed down by its firmware: ${now.join(", ")}`)]),
    ...(before.length === 0 ? [] : [warning(`slowed down since it was started: ${before.join(", ")}`)]),
  ];
}

function ofFan({ name, dutyRatio, isStalled }: FanHealth): readonly Ailment[] {
  if (!isStalled) return [];
  const duty = dutyRatio === null ? "" : ` at ${Math.round(dutyRatio * 100)} %`;
  return [critical(`${name} stands still${duty}`)];
}

function ofDaemon({ fanUpdated, now }: Health): readonly Ailment[] {
  if (fanUpdated === null || now === null || Math.abs(now - fanUpdated) <= fanStaleSeconds) return [];
  if (fanUpdated > now) return [critical("last word of its fan daemon is of the future")];
  return [critical(`fan daemon has been silent for ${Math.round(now - fanUpdated)} s`)];
}

function ofDisk({ disk }: Health): readonly Ailment[] {
  if (disk === null) return [];
  const percent = 100 * (1 - disk.available / disk.size);
  const full = `disk is ${Math.floor(percent)} % full`;
  return [
    ...(disk.isReadOnly ? [critical("root file system is read-only")] : []),
    ...(percent >= diskCriticalPercent
      ? [critical(full)]
      : percent >= diskWarningPercent
        ? [warning(full)]
        : []),
  ];
}

function ofMemory({ memory }: Health): readonly Ailment[] {
  if (memory === null) return [];
  const percent = (100 * memory.available) / memory.total;
  return percent >= memoryAvailableWarningPercent
    ? []
    : [warning(`${percent.toFixed(1)} % of memory is available`)];
}

const namedUnits = 3;

function ofUnits(units: readonly string[]): readonly Ailment[] {
  if (units.length === 0) return [];
  const named = units.slice(0, namedUnits).join(", ");
  const more = units.length > namedUnits ? ` and ${units.length - namedUnits} more` : "";
  return [warning(`failed: ${named}${more}`)];
}
