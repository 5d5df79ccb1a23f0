import type { Fan, FandSettings } from "../config/settings.ts";
import { type RpifandSteps, stepCurve } from "../config/rpifand.ts";
import { standstill } from "../units.ts";
import type { Rule } from "./replay.ts";

/** A curve of the original's, for comparison where no file of it is at hand: readings of 3 minutes. */
export const usualSteps: RpifandSteps = {
  temperatures: [45, 50, 55, 60, 65, 70],
  speeds: [0, 30, 50, 70, 85, 100],
};

/** What the original would have done with such steps. @param isMended without its bug between the first two */
export function rpifandRule(steps: RpifandSteps, isMended: boolean): Rule {
  return {
    intervalSeconds: 10,
    control: {
      rule: { rule: "rpifand", curve: stepCurve(steps, isMended), readings: 18 },
      minimumDuty: standstill,
      startKick: { duty: standstill, seconds: 0 },
      minimumOnSeconds: 0,
      critical: null,
    },
  };
}

/** What a fan of a configuration does. */
export function ruleOf(fan: Fan, settings: FandSettings): Rule {
  return { intervalSeconds: settings.intervalSeconds, control: fan.control };
}
