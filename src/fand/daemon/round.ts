import type { FanBackend } from "../backends/fan-backend.ts";
import type { Fan, FandSettings, SensorSettings } from "../config/settings.ts";
import { control, controlBegin, type ControlState } from "../control/control.ts";
import { judgeReading, sensorBegin, type Doubt, type SensorMemory } from "../sensors/judge-reading.ts";
import type { Sensor } from "../sensors/sensor-file.ts";
import { celsius, fullSpeed } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";
import type { FandEvent } from "./event.ts";
import { handBegin, handled, type HandState, isInEffect, type Override } from "./override.ts";
import { type Turning, turningBegin, watchTurning } from "./watch-turning.ts";

/** A sensor that is read, and what is known of it. */
export interface SensorPost {
  readonly settings: SensorSettings;
  readonly sensor: Sensor;
  memory: SensorMemory;
  temperature: Celsius | null;
  doubt: Doubt | null;
}

/** A fan that is driven, and what is known of it. */
export interface FanPost {
  readonly fan: Fan;
  readonly backend: FanBackend;
  state: ControlState;
  /** The hottest of its sensors; null: in doubt. */
  temperature: Celsius | null;
  /** What its rule asks for. */
  ruled: Percent;
  /** What was set by hand, and holds; null: its rule decides. */
  override: Override | null;
  hand: HandState;
  /** What it was told last. */
  asked: Percent;
  /** What was read back then. */
  duty: Percent;
  /** Turns a minute, where the driver counts them. */
  rpm: number | null;
  turning: Turning;
  /** Full speed until it turns. */
  isKicked: boolean;
  changes: number;
  errors: number;
  isLost: boolean;
}

export interface Posts {
  readonly sensors: readonly SensorPost[];
  readonly fans: readonly FanPost[];
  /** Above it nobody may slow a fan down by hand. */
  readonly overrideLimit: Celsius;
}

export function sensorPost(settings: SensorSettings, sensor: Sensor): SensorPost {
  return { settings, sensor, memory: sensorBegin, temperature: null, doubt: null };
}

export function fanPost(fan: Fan, backend: FanBackend): FanPost {
  return {
    fan,
    backend,
    state: controlBegin,
    temperature: null,
    ruled: fullSpeed,
    override: null,
    hand: handBegin,
    asked: fullSpeed,
    duty: fullSpeed,
    rpm: null,
    turning: turningBegin,
    isKicked: false,
    changes: 0,
    errors: 0,
    isLost: false,
  };
}

/**
 * One round: read, decide, write, read back. Changes the posts, and never waits or throws.
 * @returns what has changed; and whether all of it was done, so that the watchdog may be fed
 */
export function round(
  posts: Posts,
  elapsedSeconds: number,
): { readonly events: readonly FandEvent[]; readonly isWhole: boolean } {
  const events: FandEvent[] = [];
  for (const post of posts.sensors) readSensor(post, elapsedSeconds, events);
  for (const post of posts.fans) driveFan(post, posts, elapsedSeconds, events);
  return { events, isWhole: posts.fans.every(({ isLost }) => !isLost) };
}

function readSensor(post: SensorPost, elapsedSeconds: number, events: FandEvent[]): void {
  const { settings } = post;
  const before = post.doubt;
  const judged = judgeReading(post.memory, post.sensor.read(), elapsedSeconds, settings);
  post.memory = judged.memory;
  post.temperature = judged.temperature;
  post.doubt = judged.doubt;
  if (judged.doubt !== null) {
    if (before?.kind !== judged.doubt.kind)
      events.push({ event: "doubt", sensor: settings.name, doubt: judged.doubt });
  } else if (before !== null && judged.temperature !== null)
    events.push({ event: "trusted", sensor: settings.name, temperature: judged.temperature });
}

function driveFan(
  post: FanPost,
  { sensors, overrideLimit }: Posts,
  elapsedSeconds: number,
  events: FandEvent[],
): void {
  const { fan, backend } = post;
  const temperature = hottest(fan, sensors);
  // its state goes on beneath a hand's, so that it takes over as if it had never been away
  const { state, duty: ruled } = control(post.state, { temperature, elapsedSeconds }, fan.control);
  const wished = handled(
    post.hand,
    post.override?.duty ?? null,
    { duty: ruled, temperature, elapsedSeconds },
    overrideLimit,
    fan.control,
  );
  post.temperature = temperature;
  post.ruled = ruled;
  post.hand = wished.state;
  const duty = post.isKicked ? fullSpeed : wished.duty;
  const asked = post.asked;
  post.asked = duty;
  post.state = state;
  try {
    if (post.isLost) backend.open();
    post.duty = backend.setDuty(duty);
    if (post.isLost) events.push({ event: "regained", fan: fan.name });
    post.isLost = false;
  } catch (thrown) {
    post.errors += 1;
    if (!post.isLost) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      events.push({ event: "lost", fan: fan.name, why });
    }
    post.isLost = true;
    backend.dispose();
  }
  if (duty === asked) return;
  post.changes += 1;
  events.push({ event: "duty", fan: fan.name, from: asked, to: duty, temperature });
}

/**
 * Takes note of what is set by hand now.
 * @param bootSeconds seconds since boot; asked for only where something is set
 * @returns what has begun, and what has ended
 */
export function noteOverrides(
  posts: Posts,
  overrides: readonly Override[],
  bootSeconds: () => number,
): readonly FandEvent[] {
  const now = overrides.length === 0 ? 0 : bootSeconds();
  return posts.fans.flatMap((post): readonly FandEvent[] => {
    const fan = post.fan.name;
    const before = post.override;
    const set = overrides.findLast((one) => one.fan === fan && isInEffect(one, now)) ?? null;
    post.override = set;
    if (set === null) return before === null ? [] : [{ event: "released", fan }];
    const isSame = before?.duty === set.duty && before.untilSeconds === set.untilSeconds;
    return isSame ? [] : [{ event: "set", fan, duty: set.duty, seconds: set.untilSeconds - now }];
  });
}

/** Takes note of how fast a fan turns, which is looked at less often than temperatures are. */
export function noteTurns(post: FanPost, rpm: number | null, elapsedSeconds: number): readonly FandEvent[] {
  const watched = watchTurning(post.turning, post.asked, rpm, elapsedSeconds);
  post.rpm = rpm;
  post.turning = watched.turning;
  post.isKicked = watched.isKicked;
  if (watched.news === "stalled") post.errors += 1;
  return watched.news === null ? [] : [{ event: watched.news, fan: post.fan.name, duty: post.asked }];
}

/** null: at least one of the fan's sensors and guards is in doubt, or none is its own. A cool guard says nothing. */
function hottest({ sensors: own, guards, control: { critical } }: Fan, sensors: readonly SensorPost[]) {
  let highest = -Infinity;
  for (const { settings, temperature } of sensors) {
    const isOwn = own.includes(settings.name);
    if (!isOwn && !guards.includes(settings.name)) continue;
    if (temperature === null) return null;
    if (isOwn || (critical !== null && temperature >= critical)) highest = Math.max(highest, temperature);
  }
  return highest === -Infinity ? null : celsius(highest);
}

/** How many seconds the daemon may be silent before it is taken for dead: three rounds, ten at least. */
export function patienceSeconds({ intervalSeconds }: FandSettings): number {
  return Math.max(10, Math.ceil(intervalSeconds * 3));
}
