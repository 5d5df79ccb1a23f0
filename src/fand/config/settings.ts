import type { ControlSettings } from "../control/control.ts";
import { celsius } from "../units.ts";
import type { Celsius } from "../units.ts";

/** What the fan daemon does: validated, defaulted, frozen. */
export interface FandSettings {
  /** Absolute path of the file that it was read from; null: there is none, and these are the defaults. */
  readonly file: string | null;
  /** Which of the two formats the file is in. */
  readonly dialect: "berry" | "rpifand";
  /** How often sensors are read. */
  readonly intervalSeconds: number;
  /** None where there is nothing to drive: temperatures are reported all the same. */
  readonly fans: readonly Fan[];
  readonly sensors: readonly SensorSettings[];
  readonly limits: Limits;
}

export const backendNames = ["auto", "hwmon", "pwm", "gpio", "pigpio", "none"] as const;
export type BackendName = (typeof backendNames)[number];

/** A fan, and where it is connected. */
export interface Fan {
  /** Unique. */
  readonly name: string;
  readonly backend: Exclude<BackendName, "none">;
  /** BCM number of the GPIO; null: a fan that the kernel's driver knows, or a fan connector. */
  readonly pin: number | null;
  readonly mode: "pwm" | "on-off";
  /** Name of the hwmon chip, such as `pwmfan`; null: any. */
  readonly chip: string | null;
  /** Number of the hwmon chip's pwmN; null: the first. */
  readonly channel: number | null;
  /** Names of sensors, at least one: the hottest decides. */
  readonly sensors: readonly string[];
  /** Names of sensors that count from `critical` on alone, and in doubt: the Pi's own, where it does not follow it. */
  readonly guards: readonly string[];
  /** null: what the backend takes for the best. */
  readonly frequencyHz: number | null;
  /** Full speed is the low level. */
  readonly isInverted: boolean;
  /** How many steps there are between off and full speed; null: as many as the backend has. */
  readonly range: number | null;
  readonly control: ControlSettings;
}

export interface SensorSettings {
  /** Unique. */
  readonly name: string;
  readonly source: SensorSource;
  /** A reading that does not change for so long is in doubt; null: it may stay as it is. */
  readonly stuckAfterSeconds: number | null;
  /** Readings below and above are in doubt. */
  readonly minimum: Celsius;
  readonly maximum: Celsius;
}

export type SensorSource =
  /** `type` of a thermal zone. */
  | { readonly kind: "thermal"; readonly type: string }
  /** `name` of a hwmon chip, and the label of one of its temperatures; null: its first. */
  | { readonly kind: "hwmon"; readonly chip: string; readonly label: string | null }
  /** A file that holds millidegrees, as the kernel writes them. */
  | { readonly kind: "file"; readonly path: string };

export interface Limits {
  /** Above it nobody may slow a fan down by hand. */
  readonly override: Celsius;
  /** A calibration that gets so warm is given up. */
  readonly calibration: Celsius;
}

/** What a sensor of silicon can be; anything else is no temperature. */
export const coldest = celsius(-40);
export const hottest = celsius(125);

/** The Pi's own sensor: every board and every kernel of the last years calls it so. */
export const cpuSensor = {
  name: "cpu",
  source: { kind: "thermal", type: "cpu-thermal" },
  stuckAfterSeconds: null,
  minimum: coldest,
  maximum: hottest,
} as const satisfies SensorSettings;

/** Whether it reads the Pi's own sensor, by its thermal zone or the hwmon chip that is the same. */
export function isOwnSensor({ source }: SensorSettings): boolean {
  const { type } = cpuSensor.source;
  return (
    (source.kind === "thermal" && source.type.replaceAll("_", "-") === type) ||
    (source.kind === "hwmon" && source.chip.replaceAll("_", "-") === type)
  );
}

export const defaultLimits: Limits = { override: celsius(70), calibration: celsius(75) };

/** How a sensor is found, in words. */
export function describeSource(source: SensorSource): string {
  switch (source.kind) {
    case "thermal":
      return `thermal zone of type ${source.type}`;
    case "hwmon":
      return source.label === null
        ? `hwmon chip ${source.chip}`
        : `hwmon chip ${source.chip}, ${source.label}`;
    case "file":
      return `file of millidegrees ${source.path}`;
  }
}
