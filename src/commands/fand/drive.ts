import { join } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { chooseOutputs } from "../../fand/backends/choose-output.ts";
import { collectMachine, type Roots } from "../../fand/backends/collect-machine-file.ts";
import type { FanBackend } from "../../fand/backends/fan-backend.ts";
import { renderNote } from "../../fand/backends/note.ts";
import { backendOf } from "../../fand/backends/open-backend-file.ts";
import { describeOutput, type Output } from "../../fand/backends/output.ts";
import type { Fan, FandSettings } from "../../fand/config/settings.ts";
import type { Notifier } from "../../fand/daemon/notify-ffi.ts";
import {
  fanPost,
  patienceSeconds,
  type FanPost,
  type Posts,
  sensorPost,
  type SensorPost,
} from "../../fand/daemon/round.ts";
import { replaceFile } from "../../fand/daemon/run-folder-file.ts";
import type { SteadyClock } from "../../fand/daemon/serve.ts";
import { withPresentGuards } from "../../fand/sensors/present-guards-file.ts";
import { openSensor } from "../../fand/sensors/sensor-file.ts";
import { drivePosts } from "./drive-posts.ts";

/** What the daemon lives in; all of it other in tests. */
export interface Place {
  readonly roots: Roots;
  readonly isRoot: boolean;
  /** Whose word is taken for what is set by hand: this process's own user. */
  readonly uid: number;
  /** Such as /run/berry: the note, the metrics, and what is set by hand. */
  readonly runFolder: string;
  readonly version: string;
  readonly clock: SteadyClock;
  readonly notifier: Notifier;
  /** Seconds since the epoch. */
  wallSeconds(): number;
  /** Seconds since the machine was started, with those in which it slept; NaN: not known. */
  bootSeconds(): number;
  load(signal: AbortSignal): Promise<FandSettings>;
  /** Calls back first thing when this process is told to end, before the signal aborts. */
  onStop(listener: () => void): void;
  /** Sees to it that this process alone drives the fans still. @throws BerryError `temporary` where another does */
  keepClaim(): void;
  /** Calls back at every wish for a reload. */
  onReload(listener: () => void): void;
}

/** Outputs that are driven, one a fan, and what is known of them. */
export interface Taken {
  readonly settings: FandSettings;
  readonly outputs: readonly Output[];
  readonly posts: Posts;
}

/**
 * Drives the fans until the signal aborts, and leaves them at full speed before that has returned to its caller.
 * @throws BerryError when it cannot begin; whoever calls sees to full speed then
 */
export async function drive(place: Place, log: Log, signal: AbortSignal): Promise<void> {
  let taken = await take(await place.load(signal), null, place);
  const release = () => {
    for (const { backend } of taken.posts.fans) backend.dispose();
    place.notifier.send("STOPPING=1");
  };
  place.onStop(release);
  signal.addEventListener("abort", release, { once: true });
  let isAsked = false;
  let interrupt = new AbortController();
  let next: Taken | null = null;
  const reload = async (): Promise<void> => {
    place.notifier.send("RELOADING=1", `MONOTONIC_USEC=${Math.floor(place.clock.now() * 1e6)}`);
    try {
      next = await take(await place.load(signal), taken, place);
      interrupt.abort();
    } catch (thrown) {
      if (signal.aborted) return;
      log.warn(
        `the configuration stays as it was: ${messageOf(thrown)}`,
        thrown instanceof BerryError ? thrown.hint : undefined,
      );
      place.notifier.send("READY=1");
    } finally {
      isAsked = false;
    }
  };
  place.onReload(() => {
    if (isAsked || signal.aborted) return;
    isAsked = true;
    void reload();
  });
  try {
    while (!signal.aborted) {
      announce(taken, place, log);
      // oxlint-disable-next-line no-await-in-loop
      await drivePosts(taken, place, log, AbortSignal.any([signal, interrupt.signal]));
      if (next === null) continue;
      for (const { sensor } of taken.posts.sensors) sensor.dispose();
      taken = next;
      next = null;
      interrupt = new AbortController();
    }
  } finally {
    signal.removeEventListener("abort", release);
    release();
    for (const { sensor } of taken.posts.sensors) sensor.dispose();
  }
}

/**
 * Chooses an output for each fan, notes it, and takes it, at full speed. An output that is driven already is kept,
 * with what is known of its fan; one that is not wanted any more is given up first, as it may be the same pin.
 * @throws BerryError where a fan cannot be taken: all is as it was then
 */
async function take(wanted: FandSettings, driven: Taken | null, place: Place): Promise<Taken> {
  const settings = withPresentGuards(wanted, place.roots, driven?.settings ?? null);
  const machine = collectMachine(place.roots, place.isRoot);
  const chosen = chooseOutputs(settings.fans, machine).map(({ fan, output, refusals }) => {
    if (output !== null) return { fan, output, old: driven === null ? null : drivenBy(output, driven) };
    throw new BerryError(
      "unavailable",
      `fan ${fan.name}: nothing drives it: ${refusals.map(({ backend, why }) => `${backend}: ${why}`).join("; ")}`,
      { hint: "berry fand check says what is missing" },
    );
  });
  const outputs = chosen.map(({ output }) => output);
  const backends = await Promise.all(
    chosen.map(async ({ output, old }) => (old === null ? await backendOf(output) : old.backend)),
  );
  // until it is done, full speed is that of the outputs before, too
  const noted = [...(driven?.outputs ?? []), ...outputs];
  replaceFile(join(place.runFolder, "outputs"), renderNote(noted));
  const given = driven?.posts.fans.filter(({ backend }) => !backends.includes(backend)) ?? [];
  for (const { backend } of given) backend.dispose();
  const fresh = backends.filter((_, index) => chosen[index]?.old === null);
  try {
    for (const backend of fresh) backend.open();
  } catch (thrown) {
    for (const backend of fresh) backend.dispose();
    for (const { backend } of given) backend.open();
    throw thrown;
  }
  replaceFile(join(place.runFolder, "outputs"), renderNote(outputs));
  return {
    settings,
    outputs,
    posts: {
      sensors: sensorsOf(settings, place),
      fans: fansOf(chosen, backends),
      overrideLimit: settings.limits.override,
    },
  };
}

function drivenBy(output: Output, { outputs, posts }: Taken): FanPost | null {
  const text = JSON.stringify(output);
  return posts.fans[outputs.findIndex((one) => JSON.stringify(one) === text)] ?? null;
}

function fansOf(
  chosen: readonly { readonly fan: Fan; readonly old: FanPost | null }[],
  backends: readonly FanBackend[],
): readonly FanPost[] {
  return chosen.flatMap(({ fan, old }, index) => {
    const backend = backends[index];
    if (backend === undefined) return [];
    const post = fanPost(fan, backend);
    if (old === null) return [post];
    const isSameRule = old.fan.control.rule.rule === fan.control.rule.rule;
    return [{ ...old, fan, state: isSameRule ? old.state : post.state }];
  });
}

function sensorsOf(settings: FandSettings, { roots }: Place): readonly SensorPost[] {
  return settings.sensors.map((sensor) => sensorPost(sensor, openSensor(sensor, roots.sys)));
}

function announce({ settings, outputs, posts }: Taken, { notifier }: Place, log: Log): void {
  for (const [index, { fan }] of posts.fans.entries()) {
    const output = outputs[index];
    if (output !== undefined) log.info(`fan ${fan.name}: ${output.kind}, ${describeOutput(output)}`);
  }
  if (posts.fans.length === 0) log.info("no fan: temperatures are reported, and nothing is driven");
  notifier.send("READY=1", `WATCHDOG_USEC=${patienceSeconds(settings) * 1_000_000}`);
}
