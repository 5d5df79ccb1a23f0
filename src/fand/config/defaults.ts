import type { ControlSettings, CurveRule, OnOffRule } from "../control/control.ts";
import type { Curve } from "../control/curve.ts";
import { celsius, fullSpeed, percent } from "../units.ts";

/** Off below 45 °C, the minimum at 50, half at 60, three quarters at 67, everything from 72 on. */
export const defaultCurve: Curve = {
  interpolation: "linear",
  points: [
    { at: celsius(45), duty: percent(0) },
    { at: celsius(50), duty: percent(30) },
    { at: celsius(60), duty: percent(50) },
    { at: celsius(67), duty: percent(75) },
    { at: celsius(72), duty: percent(100) },
  ],
};

/**
 * Rises at once and falls late: what was needed once will be needed again. With a load that comes and goes within
 * the half hour, such as a build or a cron job, the fan keeps its tune. `berry fand simulate` shows what it costs.
 */
export const defaultCurveRule: CurveRule = {
  rule: "curve",
  curve: defaultCurve,
  hysteresis: 5,
  attack: null,
  decay: 0.015,
  step: percent(10),
  fallStep: percent(30),
};

export const defaultOnOffRule: OnOffRule = { rule: "on-off", on: celsius(60), off: celsius(50) };

/** The Pi slows itself down at 80 °C. */
export const defaultControl: ControlSettings = {
  rule: defaultCurveRule,
  minimumDuty: percent(30),
  startKick: { duty: fullSpeed, seconds: 2 },
  minimumOnSeconds: 300,
  critical: celsius(80),
};

export const defaultIntervalSeconds = 1;
