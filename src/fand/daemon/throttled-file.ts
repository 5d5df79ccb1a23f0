import { existsSync } from "node:fs";
import { join } from "node:path";
import { entriesOf, lineOf } from "../sensors/find-sensor-file.ts";
import { readThrottled, type Throttling } from "./throttled.ts";

/** Path of the firmware's attribute, which kernels of the Raspberry Pi Foundation have; null: another kernel. */
export function findThrottled(sys: string): string | null {
  const platform = join(sys, "devices/platform");
  for (const bus of entriesOf(platform).filter((name) => name.startsWith("soc")))
    for (const device of entriesOf(join(platform, bus)).filter((name) => name.endsWith(":firmware"))) {
      const path = join(platform, bus, device, "get_throttled");
      if (existsSync(path)) return path;
    }
  return null;
}

/** null: not known, on this kernel or at this moment. */
export function throttlingAt(path: string | null): readonly Throttling[] | null {
  const line = path === null ? null : lineOf(path);
  return line === null ? null : readThrottled(line);
}
