import { join } from "node:path";
import type { Log } from "../../core/ports.ts";
import type { Output } from "../../fand/backends/output.ts";
import { type FandEvent, tellEvent } from "../../fand/daemon/event.ts";
import { overrideName } from "../../fand/daemon/override.ts";
import { type OverrideFile, watchOverrides } from "../../fand/daemon/override-file.ts";
import { renderMetrics } from "../../fand/daemon/render-metrics.ts";
import { noteOverrides, noteTurns, type Posts } from "../../fand/daemon/round.ts";
import { serve } from "../../fand/daemon/serve.ts";
import { findThrottled, type ThrottledFile, throttlingAt } from "../../fand/daemon/throttled-file.ts";
import { lineOf } from "../../fand/sensors/find-sensor-file.ts";
import type { Place, Taken } from "./drive.ts";
import { runFolderKeeper } from "./keep-run-folder.ts";

/** How often what is seen from outside is written where nothing happens. */
const metricsSeconds = 5;

/** How long a machine that was just started may take to load its drivers. */
const settlingSeconds = 120;

const nothing: readonly FandEvent[] = [];

/** Rounds until the signal aborts; systemd, the log and Prometheus are told of them. */
export async function drivePosts(taken: Taken, place: Place, log: Log, signal: AbortSignal): Promise<void> {
  const { settings, outputs, posts } = taken;
  const { notifier, clock } = place;
  const lookUntil = clock.now() + settlingSeconds;
  let throttled: ThrottledFile | null = null;
  const lookAtHand = watchHand(posts, place);
  const keepRunFolder = runFolderKeeper(outputs, place, log);
  let isNews = true;
  let written = -Infinity;
  let updatedSeconds: number | null = null;
  const tell = (events: readonly FandEvent[]) => {
    if (events.length > 0) isNews = true;
    for (const event of events) {
      const { line, isAlarm } = tellEvent(event);
      if (isAlarm) log.warn(line);
      else log.info(line);
    }
  };
  const writeWhatIsSeen = () => {
    const elapsed = written === -Infinity ? 0 : clock.now() - written;
    written = clock.now();
    for (const [index, post] of posts.fans.entries()) tell(noteTurns(post, turnsOf(outputs[index]), elapsed));
    // its driver may be loaded later than this begins, and on some kernels never
    if (throttled === null && clock.now() < lookUntil) throttled = findThrottled(place.roots.sys);
    const facts = {
      version: place.version,
      intervalSeconds: settings.intervalSeconds,
      updatedSeconds,
      bootedAtSeconds: posts.fans.some(({ override }) => override !== null)
        ? place.wallSeconds() - place.bootSeconds()
        : 0,
      throttling: throttlingAt(throttled),
    };
    keepRunFolder(renderMetrics(posts, facts));
  };
  const listeners = {
    onEvents: tell,
    onBegin: () => tell(lookAtHand()),
    onEnd(isWhole: boolean) {
      const words = isWhole ? ["WATCHDOG=1"] : [];
      if (isNews) words.push(`STATUS=${statusOf(posts)}`);
      if (words.length > 0) notifier.send(...words);
      if (isWhole) updatedSeconds = Math.floor(place.wallSeconds());
      const isDue = isNews || clock.now() - written >= metricsSeconds;
      isNews = false;
      if (isDue) writeWhatIsSeen();
    },
  };
  await serve(posts, settings.intervalSeconds, clock, listeners, signal);
}

/** @returns a look at what is set by hand; it costs one lstat(2) while nothing is */
function watchHand(posts: Posts, place: Place): () => readonly FandEvent[] {
  const path = join(place.runFolder, overrideName);
  const look = watchOverrides(path, place.uid);
  let seen: OverrideFile | null = null;
  let isSpent = false;
  return () => {
    if (posts.fans.length === 0) return nothing;
    const file = look();
    const isNew = file !== seen;
    // as it is for months
    if (!isNew && isSpent) return nothing;
    seen = file;
    const events = noteOverrides(posts, file.overrides, () => place.bootSeconds());
    // what holds for nobody now never will
    isSpent = posts.fans.every(({ override }) => override === null);
    return isNew && file.flaw !== null ? [...events, { event: "ignored", path, why: file.flaw }] : events;
  };
}

/** Turns a minute; null: the driver does not count them, or not now. */
function turnsOf(output: Output | undefined): number | null {
  if (output?.kind !== "hwmon" || output.tachometer === null) return null;
  const line = lineOf(output.tachometer);
  return line !== null && /^\d{1,6}$/.test(line) ? Number(line) : null;
}

function statusOf(posts: Posts): string {
  const fans = posts.fans.map(({ fan, duty, isLost, turning, override }) => {
    const state = isLost ? "does not follow" : turning.isStalled ? "does not turn" : `${Math.round(duty)} %`;
    return `${fan.name} ${state}${override === null ? "" : " by hand"}`;
  });
  const sensors = posts.sensors.map(
    ({ settings, temperature }) =>
      `${settings.name} ${temperature === null ? "in doubt" : `${temperature.toFixed(1)} °C`}`,
  );
  return [...sensors, ...fans].join(", ");
}
