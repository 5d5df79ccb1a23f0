import { celsius, fullSpeed, percent, standstill } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";
import { demand } from "./curve.ts";
import type { Curve } from "./curve.ts";

/** How one fan follows its temperature. */
export interface ControlSettings {
  readonly rule: CurveRule | OnOffRule | RpifandRule;
  /** The slowest that the fan surely turns at: a duty above 0 is never below it. */
  readonly minimumDuty: Percent;
  /** What a fan that stands still gets first. */
  readonly startKick: { readonly duty: Percent; readonly seconds: number };
  /** A fan that was started turns at least so long. */
  readonly minimumOnSeconds: number;
}

export interface CurveRule {
  readonly rule: "curve";
  readonly curve: Curve;
  /** How far the temperature has to fall before the duty follows it down. */
  readonly hysteresis: number;
  /** Percent a second; null: at once. */
  readonly attack: number | null;
  /** Percent a second; null: at once. */
  readonly decay: number | null;
}

export interface OnOffRule {
  readonly rule: "on-off";
  readonly on: Celsius;
  readonly off: Celsius;
}

/** The original's: the highest of the newest readings, over six steps. */
export interface RpifandRule {
  readonly rule: "rpifand";
  /** Without interpolation. */
  readonly curve: Curve;
  /** How many readings are remembered. */
  readonly readings: number;
}

export interface ControlState {
  /** What the temperature asked for last, before the fan's mechanics had their say. */
  readonly level: Percent;
  readonly duty: Percent;
  /** Seconds since the fan was started; null: it stands still. */
  readonly onSeconds: number | null;
  /** Newest last; of the rule `rpifand` alone. */
  readonly readings: readonly Celsius[];
}

/** The fan runs at full speed before anything is known. */
export const controlBegin: ControlState = { level: fullSpeed, duty: fullSpeed, onSeconds: 0, readings: [] };

export interface Sample {
  /** The highest of the fan's sensors; null: at least one is in doubt. */
  readonly temperature: Celsius | null;
  /** Since the sample before, by a clock that never jumps. */
  readonly elapsedSeconds: number;
}

export interface Controlled {
  readonly state: ControlState;
  readonly duty: Percent;
}

/** The duty of a fan after one more sample. Any doubt is full speed. */
export function control(state: ControlState, sample: Sample, settings: ControlSettings): Controlled {
  const elapsed = Math.max(0, sample.elapsedSeconds);
  const { temperature } = sample;
  if (temperature === null || Number.isNaN(temperature))
    return turn(state, fullSpeed, fullSpeed, elapsed, []);
  const { rule } = settings;
  switch (rule.rule) {
    case "curve": {
      const level = follow(state.level, temperature, elapsed, rule);
      return turn(state, level, shaped(state, level, elapsed, settings), elapsed, []);
    }
    case "on-off": {
      const isOn = temperature >= rule.on || (state.level > 0 && temperature > rule.off);
      const level = isOn ? fullSpeed : standstill;
      return turn(state, level, shaped(state, level, elapsed, settings), elapsed, []);
    }
    case "rpifand": {
      const readings = [...state.readings, temperature].slice(-rule.readings);
      const level = demand(rule.curve, celsius(Math.max(...readings)));
      return turn(state, level, level, elapsed, readings);
    }
  }
}

/** Up with the temperature; down only when it has fallen by more than the hysteresis, and slowly. */
function follow(level: Percent, temperature: Celsius, elapsed: number, rule: CurveRule): Percent {
  const rising = demand(rule.curve, temperature);
  if (rising >= level)
    return rule.attack === null ? rising : percent(Math.min(rising, level + rule.attack * elapsed));
  const falling = demand(rule.curve, celsius(temperature + rule.hysteresis));
  if (falling >= level) return level;
  return rule.decay === null ? falling : percent(Math.max(falling, level - rule.decay * elapsed));
}

/** What the fan's mechanics ask for: a kick to start, its minimum or nothing, and not for a moment only. */
function shaped(state: ControlState, level: Percent, elapsed: number, settings: ControlSettings): Percent {
  const { startKick, minimumDuty, minimumOnSeconds } = settings;
  const onSeconds = state.onSeconds === null ? null : state.onSeconds + elapsed;
  if (level === 0 && (onSeconds === null || onSeconds >= minimumOnSeconds)) return standstill;
  const turning = percent(Math.max(level, minimumDuty));
  const isKicked = startKick.seconds > 0 && (onSeconds ?? 0) < startKick.seconds;
  return isKicked ? percent(Math.max(turning, startKick.duty)) : turning;
}

function turn(
  state: ControlState,
  level: Percent,
  duty: Percent,
  elapsed: number,
  readings: readonly Celsius[],
): Controlled {
  const onSeconds = duty === 0 ? null : state.onSeconds === null ? 0 : state.onSeconds + elapsed;
  return { duty, state: { level, duty, onSeconds, readings } };
}
