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
  /** From here on the fan runs at full speed, whatever its rule; null: the rule has the last word. */
  readonly critical: Celsius | null;
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
  /** Rises to multiples of it, so that the fan does not follow every breath of the sensor; 0: to any duty. */
  readonly step: Percent;
  /** Falls by so much at once, or to the end: few steps rather than many; 0: by any amount. */
  readonly fallStep: Percent;
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
  /** What the temperature asked for last, before the fan's mechanics had their say; null: nothing is known yet. */
  readonly level: Percent | null;
  readonly duty: Percent;
  /** Seconds for which the temperature has asked for less, and the level has not followed yet. */
  readonly fallSeconds: number;
  /** Seconds since the fan was started; null: it stands still. */
  readonly onSeconds: number | null;
  /** Newest last; of the rule `rpifand` alone. */
  readonly readings: readonly Celsius[];
}

/** The fan runs at full speed before anything is known, and does what the first temperature asks for. */
export const controlBegin: ControlState = {
  level: null,
  duty: fullSpeed,
  fallSeconds: 0,
  onSeconds: Infinity,
  readings: [],
};

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

/** What the original remembers where it could not read its sensor. */
const unreadable = celsius(100);

/** The duty of a fan after one more sample. Any doubt is full speed while it lasts, and forgotten afterwards. */
export function control(state: ControlState, sample: Sample, settings: ControlSettings): Controlled {
  const elapsed = Math.max(0, sample.elapsedSeconds);
  const { temperature } = sample;
  const { rule, critical } = settings;
  const isDoubtful = temperature === null || Number.isNaN(temperature);
  const readings =
    rule.rule === "rpifand"
      ? [...state.readings, isDoubtful ? unreadable : temperature].slice(-rule.readings)
      : [];
  if (isDoubtful) return turn(state, { level: state.level, fallSeconds: 0, readings }, fullSpeed, elapsed);
  if (critical !== null && temperature >= critical)
    return turn(state, { level: fullSpeed, fallSeconds: 0, readings }, fullSpeed, elapsed);
  switch (rule.rule) {
    case "curve": {
      const followed = follow(state, temperature, elapsed, rule, settings.minimumDuty);
      const duty = shaped(state, followed.level, elapsed, settings);
      return turn(state, { ...followed, readings }, duty, elapsed);
    }
    case "on-off": {
      const isOn = temperature >= rule.on || (state.level !== 0 && temperature > rule.off);
      const level = isOn ? fullSpeed : standstill;
      const duty = shaped(state, level, elapsed, settings);
      return turn(state, { level, fallSeconds: 0, readings }, duty, elapsed);
    }
    case "rpifand": {
      const warmest = celsius(Math.max(...readings));
      const isHot = critical !== null && warmest >= critical;
      const level = isHot ? fullSpeed : demand(rule.curve, warmest);
      return turn(state, { level, fallSeconds: 0, readings }, level, elapsed);
    }
  }
}

interface Followed {
  readonly level: Percent;
  readonly fallSeconds: number;
}

/** Up with the temperature; down only when it has fallen by more than the hysteresis, and slowly. */
function follow(
  { level, fallSeconds }: ControlState,
  temperature: Celsius,
  elapsed: number,
  rule: CurveRule,
  minimumDuty: Percent,
): Followed {
  const now = demand(rule.curve, temperature);
  // rounding up does not start a fan
  const rising = now < minimumDuty ? now : stepped(now, rule.step);
  if (level === null) return { level: rising, fallSeconds: 0 };
  if (rising >= level) {
    const most = rule.attack === null ? rising : level + rule.attack * elapsed;
    return { level: percent(Math.min(rising, most)), fallSeconds: 0 };
  }
  const warmer = demand(rule.curve, celsius(temperature + rule.hysteresis));
  // a fan that asked for less than it can turn at would not be started any more
  const falling = now === 0 && warmer < minimumDuty ? standstill : stepped(warmer, rule.step);
  if (falling >= level) return { level, fallSeconds: 0 };
  if (rule.decay === null) return { level: falling, fallSeconds: 0 };
  const waited = fallSeconds + elapsed;
  const due = rule.decay * waited;
  if (due >= level - falling) return { level: falling, fallSeconds: 0 };
  const drop = rule.fallStep === 0 ? due : Math.floor(due / rule.fallStep) * rule.fallStep;
  return { level: percent(level - drop), fallSeconds: waited - drop / rule.decay };
}

function stepped(duty: Percent, step: Percent): Percent {
  return step === 0 ? duty : percent(Math.min(fullSpeed, Math.ceil(duty / step) * step));
}

/** What the fan's mechanics ask for: a kick to start, its minimum or nothing, and not for a moment only. */
function shaped(state: ControlState, level: Percent, elapsed: number, settings: ControlSettings): Percent {
  const { startKick, minimumDuty, minimumOnSeconds } = settings;
  if (state.onSeconds === null && (level === 0 || level < minimumDuty)) return standstill;
  const onSeconds = state.onSeconds === null ? 0 : state.onSeconds + elapsed;
  if (level === 0 && onSeconds >= minimumOnSeconds) return standstill;
  const turning = percent(Math.max(level, minimumDuty));
  const isKicked = startKick.seconds > 0 && onSeconds < startKick.seconds;
  return isKicked ? percent(Math.max(turning, startKick.duty)) : turning;
}

function turn(
  state: ControlState,
  kept: Omit<ControlState, "duty" | "onSeconds">,
  duty: Percent,
  elapsed: number,
): Controlled {
  const onSeconds = duty === 0 ? null : state.onSeconds === null ? 0 : state.onSeconds + elapsed;
  return { duty, state: { ...kept, duty, onSeconds } };
}
