import { parseSample, type Sample } from "../../core/exposition.ts";
import type { FanHealth, Health } from "../health.ts";
import { fanStaleSeconds } from "./limits.ts";
import { chooseTemperature, type Reading } from "./choose-temperature.ts";

/** Takes a page line by line and keeps what berry knows; everything else costs a look at its name. */
export interface Collector {
  take(line: string): void;
  /** @returns null where no line was one of node_exporter's */
  finish(): Health | null;
}

/** Fans, sensors, units and zones of a page: more than any Pi has. What comes after is not read. */
const mostOfAKind = 64;
/** Characters of a label: units and host names are shorter. */
const mostCharacters = 256;

interface Seen {
  readonly values: Map<string, number>;
  readonly zones: Reading[];
  readonly chips: Reading[];
  readonly chipNames: Map<string, string>;
  readonly sensors: Reading[];
  readonly doubtful: Set<string>;
  readonly fans: Map<string, Partial<Record<FanKey, number>>>;
  readonly throttled: Map<string, number>;
  readonly throttledSinceBoot: Map<string, number>;
  readonly processors: Set<string>;
  /** null: no unit has been seen. */
  failedUnits: Set<string> | null;
  version: string | null;
  hostName: string | null;
  isExporter: boolean;
}

type FanKey = "duty" | "rpm" | "stalled";
type Take = (seen: Seen, sample: Sample) => void;

const plain: Take = ({ values }, { name, value }) => {
  values.set(name, value);
};

const ofRoot: Take = ({ values }, { name, labels, value }) => {
  if (labels.get("mountpoint") === "/" && labels.get("fstype") !== "rootfs") values.set(name, value);
};

const fan =
  (key: FanKey): Take =>
  ({ fans }, { labels, value }) => {
    const name = label(labels, "fan");
    const known = fans.get(name);
    if (known !== undefined) known[key] = value;
    else if (fans.size < mostOfAKind) fans.set(name, { [key]: value });
  };

const reason =
  (into: "throttled" | "throttledSinceBoot"): Take =>
  (seen, { labels, value }) => {
    if (seen[into].size < mostOfAKind) seen[into].set(label(labels, "reason"), value);
  };

/** What is read of a page. Names: node_exporter's collectors (`collectors.ts` asks for them), and berry's fan daemon by way of its textfile collector. */
const takes: ReadonlyMap<string, Take> = new Map<string, Take>([
  ["node_load1", plain],
  ["node_memory_MemTotal_bytes", plain],
  ["node_memory_MemAvailable_bytes", plain],
  ["node_boot_time_seconds", plain],
  ["node_time_seconds", plain],
  ["node_timex_sync_status", plain],
  ["berry_fan_last_update_timestamp_seconds", plain],
  ["node_filesystem_size_bytes", ofRoot],
  ["node_filesystem_avail_bytes", ofRoot],
  ["node_filesystem_readonly", ofRoot],
  ["node_exporter_build_info", () => undefined],
  [
    "node_thermal_zone_temp",
    ({ zones }, { labels, value }) => add(zones, { of: label(labels, "type"), value }),
  ],
  [
    "node_hwmon_temp_celsius",
    ({ chips }, { labels, value }) => add(chips, { of: label(labels, "chip"), value }),
  ],
  [
    "node_hwmon_chip_names",
    ({ chipNames }, { labels }) => {
      if (chipNames.size < mostOfAKind) chipNames.set(label(labels, "chip"), label(labels, "chip_name"));
    },
  ],
  [
    "node_cpu_seconds_total",
    ({ processors }, { labels }) => {
      if (processors.size < 1024) processors.add(label(labels, "cpu"));
    },
  ],
  [
    "node_systemd_unit_state",
    (seen, { labels, value }) => {
      const failedUnits = (seen.failedUnits ??= new Set());
      if (labels.get("state") === "failed" && value === 1 && failedUnits.size < mostOfAKind)
        failedUnits.add(label(labels, "name"));
    },
  ],
  [
    "node_uname_info",
    (seen, { labels }) => {
      seen.hostName = label(labels, "nodename");
    },
  ],
  [
    "berry_cpu_temperature_celsius",
    ({ sensors }, { labels, value }) => add(sensors, { of: label(labels, "sensor"), value }),
  ],
  [
    "berry_sensor_in_doubt",
    ({ doubtful }, { labels, value }) => {
      if (value === 1 && doubtful.size < mostOfAKind) doubtful.add(label(labels, "sensor"));
    },
  ],
  ["berry_fan_duty_ratio", fan("duty")],
  ["berry_fan_speed_rpm", fan("rpm")],
  ["berry_fan_stalled", fan("stalled")],
  ["berry_throttled", reason("throttled")],
  ["berry_throttled_since_boot", reason("throttledSinceBoot")],
  [
    "berry_build_info",
    (seen, { labels }) => {
      seen.version = label(labels, "version");
    },
  ],
]);

/** @returns a collector that has seen nothing yet */
export function collectHealth(): Collector {
  const seen: Seen = {
    values: new Map(),
    zones: [],
    chips: [],
    chipNames: new Map(),
    sensors: [],
    doubtful: new Set(),
    fans: new Map(),
    throttled: new Map(),
    throttledSinceBoot: new Map(),
    processors: new Set(),
    failedUnits: null,
    version: null,
    hostName: null,
    isExporter: false,
  };
  return {
    take(line) {
      const name = nameOf(line);
      const take = takes.get(name);
      // a unit has five states, and a page hundreds of units
      if (take === undefined || (name === "node_systemd_unit_state" && !line.includes('"failed"'))) return;
      const sample = parseSample(line);
      if (sample === null) return;
      if (name.startsWith("node_")) seen.isExporter = true;
      take(seen, sample);
    },
    finish: () => (seen.isExporter ? toHealth(seen) : null),
  };
}

function nameOf(line: string): string {
  let end = 0;
  for (; end < line.length; end += 1) {
    const character = line.charCodeAt(end);
    // space, tab, brace
    if (character === 32 || character === 9 || character === 123) break;
  }
  return line.slice(0, end);
}

function add(readings: Reading[], reading: Reading): void {
  if (readings.length < mostOfAKind) readings.push(reading);
}

function label(labels: ReadonlyMap<string, string>, name: string): string {
  return (labels.get(name) ?? "").slice(0, mostCharacters);
}

function toHealth(seen: Seen): Health {
  const bytes = (name: string) => between(seen.values.get(name), 0, 2 ** 60);
  const time = (name: string) => between(seen.values.get(name), 0, 1e11);
  const [total, available] = [bytes("node_memory_MemTotal_bytes"), bytes("node_memory_MemAvailable_bytes")];
  const [size, free] = [bytes("node_filesystem_size_bytes"), bytes("node_filesystem_avail_bytes")];
  const now = time("node_time_seconds");
  const fanUpdated = time("berry_fan_last_update_timestamp_seconds");
  // node_exporter serves the daemon's last file for ever: what is old says nothing of now
  const isStale = fanUpdated !== null && now !== null && Math.abs(now - fanUpdated) > fanStaleSeconds;
  const temperature = chooseTemperature({ ...seen, sensors: isStale ? [] : seen.sensors });
  const sync = seen.values.get("node_timex_sync_status");
  return {
    temperature: temperature === "absurd" ? null : temperature,
    isTemperatureAbsurd: temperature === "absurd",
    fans: [...seen.fans].map(([name, values]) => toFan(name, isStale ? {} : values)),
    load1: between(seen.values.get("node_load1"), 0, 1e6),
    processors: seen.processors.size === 0 ? null : seen.processors.size,
    memory: total === null || total === 0 || available === null ? null : { total, available },
    disk:
      size === null || size === 0 || free === null
        ? null
        : { size, available: free, isReadOnly: seen.values.get("node_filesystem_readonly") === 1 },
    throttled: isStale ? null : reasons(seen.throttled),
    throttledSinceBoot: isStale ? null : reasons(seen.throttledSinceBoot),
    bootTime: time("node_boot_time_seconds"),
    now,
    isClockSynchronised: sync === undefined ? null : sync === 1,
    failedUnits: seen.failedUnits === null ? null : [...seen.failedUnits],
    fanUpdated,
    doubtfulSensors: isStale ? [] : [...seen.doubtful],
    berryVersion: seen.version === "" ? null : seen.version,
    hostName: seen.hostName === "" ? null : seen.hostName,
  };
}

function toFan(name: string, { duty, rpm, stalled }: Partial<Record<FanKey, number>>): FanHealth {
  return {
    name,
    dutyRatio: between(duty, 0, 1),
    rpm: between(rpm, 0, 1e6),
    isStalled: stalled === 1,
  };
}

function reasons(seen: ReadonlyMap<string, number>): readonly string[] | null {
  return seen.size === 0 ? null : [...seen].filter(([, value]) => value === 1).map(([name]) => name);
}

/** A page may say anything: null is what no node can have. */
function between(value: number | undefined, least: number, most: number): number | null {
  return value !== undefined && value >= least && value <= most ? value : null;
}
