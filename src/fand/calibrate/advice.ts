import type { Calibrated } from "./calibration.ts";

/** What goes into fand.toml: with a margin, as fans grow stiff with dust, cold and age. */
export interface CalibrationAdvice {
  /** Percent. */
  readonly minimumDuty: number;
  readonly startDuty: number;
  readonly startKickSeconds: number;
}

const minimumMargin = 5;
const startMargin = 10;
/** The longest that fand.toml takes for an ordinary fan without a warning. */
const longestKickSeconds = 10;

export function advise({ slowest, start, neverStops }: Calibrated): CalibrationAdvice {
  const minimumDuty = Math.min(100, Math.ceil(slowest.duty) + minimumMargin);
  // it turns already
  if (neverStops) return { minimumDuty, startDuty: minimumDuty, startKickSeconds: 0 };
  const startDuty = start === null ? 100 : Math.min(100, Math.ceil(start.duty) + startMargin);
  return {
    minimumDuty,
    startDuty: Math.max(minimumDuty, startDuty),
    startKickSeconds: start === null ? 3 : Math.min(longestKickSeconds, Math.ceil(start.seconds) + 1),
  };
}

/** The lines for fand.toml, in the table of the fan. */
export function renderAdvice({
  minimumDuty,
  startDuty,
  startKickSeconds,
}: CalibrationAdvice): readonly string[] {
  return [
    `minimum_duty = ${minimumDuty}`,
    `start_duty = ${startDuty}`,
    `start_kick = "${startKickSeconds}s"`,
  ];
}
