import { trembling } from "./thermal-model.ts";
import type { Trace } from "./trace.ts";

/** What a Pi 4 takes: idle, and with all four cores at work. */
const idleWatts = 3;
const busyWatts = 7.5;

/**
 * A made-up day of a node: services that breathe, jobs by the clock, a build now and then, a quiet night.
 * The same one every time.
 */
export function modelTrace(hours = 24): Trace {
  const random = trembling(11);
  const values = new Float32Array(hours * 3600);
  let buildUntil = 0;
  let servicesWatts = 0;
  for (let second = 0; second < values.length; second += 1) {
    const hour = (second / 3600) % 24;
    const isDay = hour >= 8 && hour < 23;
    if (second % 30 === 0) servicesWatts = (isDay ? 0.9 : 0.2) * (1 + random());
    // every quarter of an hour for a minute; at three in the night for an hour
    const isJob = second % 900 < 60 || (hour >= 3 && hour < 4);
    if (isDay && second > buildUntil + 1200 && second % 60 === 0 && random() > 0.92)
      buildUntil = second + 200 + Math.round(200 * (1 + random()));
    const watts = idleWatts + servicesWatts + (isJob ? 2 : 0);
    values[second] = second < buildUntil ? busyWatts : Math.min(busyWatts, watts);
  }
  return { name: "model", kind: "watts", values };
}
