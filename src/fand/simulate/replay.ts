import { control, controlBegin } from "../control/control.ts";
import type { ControlSettings } from "../control/control.ts";
import { celsius } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";
import { sensed, settled, type ThermalModel, trembling, warmed } from "./thermal-model.ts";
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

/**
 * Runs a rule over a trace, second by second. Where the trace is of loads, the model warms and the fan cools it;
 * where it is of temperatures, they are what they were, whatever the fan does.
 */
export function replay(trace: Trace, rule: Rule, model: ThermalModel): Replay {
  const { values } = trace;
  const seconds = values.length;
  const temperatures = new Float32Array(seconds);
  const duties = new Float32Array(seconds);
  const tremble = trembling(7);
  const isModelled = trace.kind === "watts";
  let state = controlBegin;
  let duty: Percent = state.duty;
  // the Pi has idled until then, with its fan at full speed
  let temperature: number = isModelled ? settled(model, values[0] ?? 0, duty) : (values[0] ?? 0);
  let due = 0;
  let changes = 0;
  let peak = -Infinity;
  let dutySeconds = 0;
  let stillSeconds = 0;
  for (let second = 0; second < seconds; second += 1) {
    const value = values[second] ?? 0;
    temperature = isModelled ? warmed(model, temperature, value, duty, 1) : value;
    if (second >= due) {
      const seen = isModelled ? sensed(model, temperature, tremble()) : celsius(value);
      const next = control(state, { temperature: seen, elapsedSeconds: rule.intervalSeconds }, rule.control);
      if (next.duty !== duty) changes += 1;
      state = next.state;
      duty = next.duty;
      due += rule.intervalSeconds;
    }
    peak = Math.max(peak, temperature);
    if (duty === 0) stillSeconds += 1;
    dutySeconds += duty;
    temperatures[second] = temperature;
    duties[second] = duty;
  }
  return {
    changes,
    peak: celsius(peak),
    averageDuty: dutySeconds / seconds,
    stillShare: stillSeconds / seconds,
    temperatures,
    duties,
  };
}
