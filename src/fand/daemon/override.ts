import type { ControlSettings } from "../control/control.ts";
import { percent, standstill } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";

/** A duty that somebody has set by hand. */
export interface Override {
  readonly fan: string;
  readonly duty: Percent;
  /**
   * When it ends, by the seconds since boot that go on while the machine sleeps (CLOCK_BOOTTIME): who sets ten minutes
   * and closes the lid for an hour finds it ended, and nobody who sets the time of day prolongs it.
   */
  readonly untilSeconds: number;
}

/** Name of the file in the run folder by which root tells the daemon. */
export const overrideName = "override";

export const longestOverrideSeconds = 24 * 3600;

/** How far it has to cool down below the limit before the duty that was set holds again. */
const coolDown = 5;

export function renderOverrides(overrides: readonly Override[]): string {
  return `${JSON.stringify(overrides)}\n`;
}

/** @returns null: not what berry writes */
export function parseOverrides(text: string): readonly Override[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const overrides: readonly unknown[] = value;
  return overrides.every(isOverride) ? overrides : null;
}

function isOverride(value: unknown): value is Override {
  if (typeof value !== "object" || value === null) return false;
  if (!("fan" in value && "duty" in value && "untilSeconds" in value)) return false;
  const { fan, duty, untilSeconds } = value;
  const isDuty = typeof duty === "number" && duty >= 0 && duty <= 100;
  return typeof fan === "string" && isDuty && Number.isFinite(untilSeconds);
}

/** Whether it holds. One that would hold for longer than can be asked for was written before the machine was started. */
export function isInEffect({ untilSeconds }: Override, bootSeconds: number): boolean {
  const left = untilSeconds - bootSeconds;
  return left > 0 && left <= longestOverrideSeconds;
}

/** What is known of a fan whose duty may be set by hand. */
export interface HandState {
  /** Since the fan was started, by whomever; null: it stands still. */
  readonly onSeconds: number | null;
  /** It is too warm for less than the rule asks for. */
  readonly isHeldBack: boolean;
}

export const handBegin: HandState = { onSeconds: Infinity, isHeldBack: false };

export interface Ruled {
  /** What the fan's rule asks for. */
  readonly duty: Percent;
  /** null: in doubt. */
  readonly temperature: Celsius | null;
  readonly elapsedSeconds: number;
}

/**
 * The duty of a fan with a hand on it. Where it is too warm, or in doubt, the rule is the least.
 * @param set what was set by hand; null: nothing
 * @param limit above it nobody may slow the fan down
 */
export function handled(
  state: HandState,
  set: Percent | null,
  ruled: Ruled,
  limit: Celsius,
  settings: ControlSettings,
): { readonly state: HandState; readonly duty: Percent } {
  const isHeldBack = set !== null && isTooWarm(state, ruled.temperature, limit, settings.critical);
  const wished = set === null ? ruled.duty : turnable(set, settings);
  const level = isHeldBack ? percent(Math.max(wished, ruled.duty)) : wished;
  if (level === 0) return { state: { onSeconds: null, isHeldBack }, duty: standstill };
  const onSeconds = state.onSeconds === null ? 0 : state.onSeconds + Math.max(0, ruled.elapsedSeconds);
  const { startKick } = settings;
  const isKicked = onSeconds < startKick.seconds;
  return {
    state: { onSeconds, isHeldBack },
    duty: isKicked ? percent(Math.max(level, startKick.duty)) : level,
  };
}

/** The slowest that the fan turns at, or nothing. */
export function turnable(duty: Percent, { minimumDuty }: Pick<ControlSettings, "minimumDuty">): Percent {
  return duty === 0 ? standstill : percent(Math.max(duty, minimumDuty));
}

function isTooWarm(
  state: HandState,
  temperature: Celsius | null,
  limit: Celsius,
  critical: Celsius | null,
): boolean {
  if (temperature === null) return true;
  if (temperature > limit || (critical !== null && temperature >= critical)) return true;
  return state.isHeldBack && temperature > Math.min(limit, critical ?? limit) - coolDown;
}
