import { control, controlBegin } from "../control/control.ts";
import type { ControlSettings } from "../control/control.ts";
import { celsius } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";
import { sensed, type ThermalModel, trembling, warmed } from "./thermal-model.ts";
import type { Trace } from "./trace.ts";

/** One fan's rule, and how often it looks. */
export interface Rule {
  readonly control: ControlSettings;
  readonly intervalSeconds: number;
}

/** What a rule made of a trace. */
export interface Replay {
  readonly changes: number;
  /** The highest temperature there was, not only the highest that the rule looked at. */
  readonly peak: Celsius;
  readonly averageDuty: number;
  /** Share of the time in which the fan stood still. */
  readonly stillShare: number;
  /** One a second. */
  readonly temperatures: Float32Array;
  readonly duties: Float32Array;
}

/** The first minutes are how the daemon starts, at full speed: neither counted as changes nor as peak. */
const settleSeconds = 0;

/**
 * Runs a rule over a trace, second by second. Where the trace is of loads, the model warms and the fan cools it;
 * where it is of temperatures, they are what they were, whatever the fan does.
 */
export function replay(trace: Trace, rule: Rule, model: ThermalModel): Replay {
  const { seconds } = trace;
  const temperatures = new Float32Array(seconds);
  const duties = new Float32Array(seconds);
  const tremble = trembling(7);
  let state = controlBegin;
  let duty: Percent = state.duty;
  let temperature = trace.kind === "celsius" ? (trace.values[0] ?? 0) : model.ambient + 10;
  let changes = 0;
  let peak = -Infinity;
  let sum = 0;
  let still = 0;
  let due = 0;
  for (let second = 0; second < seconds; second += 1) {
    const value = trace.values[second] ?? 0;
    temperature = trace.kind === "celsius" ? value : warmed(model, temperature, value, duty, 1);
    if (second >= due) {
      const seen = trace.kind === "celsius" ? celsius(value) : sensed(model, temperature, tremble());
      const next = control(state, { temperature: seen, elapsedSeconds: rule.intervalSeconds }, rule.control);
      if (next.duty !== duty && second >= settleSeconds) changes += 1;
      state = next.state;
      duty = next.duty;
      due = second + rule.intervalSeconds;
    }
    if (temperature > peak) peak = temperature;
    if (duty === 0) still += 1;
    sum += duty;
    temperatures[second] = temperature;
    duties[second] = duty;
  }
  return {
    changes,
    peak: celsius(peak),
    averageDuty: sum / seconds,
    stillShare: still / seconds,
    temperatures,
    duties,
  };
}
