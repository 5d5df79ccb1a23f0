import { existsSync } from "node:fs";
import { join } from "node:path";
import { cpuSensor, type FandSettings, isOwnSensor, type SensorSettings } from "../config/settings.ts";
import { findSensor } from "./find-sensor-file.ts";

/**
 * The settings without guards that this machine does not have: a board whose kernel has no sensor of its own goes by
 * those that its fans name. One that the device tree tells of is only not there yet, or not any more.
 * @param roots of sysfs, and of the device tree
 * @param before what was in force: a guard that was there once stays one
 */
export function withPresentGuards(
  settings: FandSettings,
  roots: { readonly sys: string; readonly deviceTree: string },
  before: FandSettings | null,
): FandSettings {
  const followed = new Set(settings.fans.flatMap(({ sensors }) => sensors));
  const guards = new Set(settings.fans.flatMap((fan) => fan.guards));
  const isThere = ({ source }: SensorSettings) =>
    existsSync(join(roots.deviceTree, "thermal-zones", cpuSensor.source.type)) ||
    findSensor(source, roots.sys).isFound ||
    before?.sensors.some(isOwnSensor) === true;
  const absent = settings.sensors
    .filter((one) => guards.has(one.name) && !followed.has(one.name) && !isThere(one))
    .map(({ name }) => name);
  if (absent.length === 0) return settings;
  return {
    ...settings,
    sensors: settings.sensors.filter(({ name }) => !absent.includes(name)),
    fans: settings.fans.map((fan) => ({
      ...fan,
      guards: fan.guards.filter((name) => !absent.includes(name)),
    })),
  };
}
