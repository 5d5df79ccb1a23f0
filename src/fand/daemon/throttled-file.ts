import { existsSync } from "node:fs";
import { join } from "node:path";
import { entriesOf, lineOf, numbered } from "../sensors/find-sensor-file.ts";
import { readThrottled, readVoltageAlarm, type Throttling } from "./throttled.ts";

/** What says that the firmware slows the Pi down. */
export interface ThrottledFile {
  readonly path: string;
  read(text: string): readonly Throttling[] | null;
}

/**
 * The firmware's attribute, which kernels of the Raspberry Pi Foundation have, else the alarm of mainline's driver,
 * which knows of the voltage alone.
 * @param sys `/sys` @returns null: this kernel does not say
 */
export function findThrottled(sys: string): ThrottledFile | null {
  const platform = join(sys, "devices/platform");
  for (const bus of entriesOf(platform).filter((name) => name.startsWith("soc")))
    for (const device of entriesOf(join(platform, bus)).filter((name) => name.endsWith(":firmware"))) {
      const path = join(platform, bus, device, "get_throttled");
      if (existsSync(path)) return { path, read: readThrottled };
    }
  for (const chip of numbered(join(sys, "class/hwmon"), "hwmon")) {
    if (lineOf(join(chip, "name")) !== "rpi_volt") continue;
    const path = join(chip, "in0_lcrit_alarm");
    if (existsSync(path)) return { path, read: readVoltageAlarm };
  }
  return null;
}

/** null: not known, on this kernel or at this moment. */
export function throttlingAt(file: ThrottledFile | null): readonly Throttling[] | null {
  const line = file === null ? null : lineOf(file.path);
  return file === null || line === null ? null : file.read(line);
}
