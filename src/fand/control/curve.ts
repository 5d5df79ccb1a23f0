import { fullSpeed, percent } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";

export interface CurvePoint {
  readonly at: Celsius;
  readonly duty: Percent;
}

/** Points by rising temperature, of which neither temperature nor duty ever falls; at least one. */
export interface Curve {
  readonly interpolation: "linear" | "steps";
  readonly points: readonly CurvePoint[];
}

/**
 * The duty that a temperature asks for: that of the first point below it, that of the last from there on.
 * A temperature that is no number asks for everything.
 */
export function demand(curve: Curve, temperature: Celsius): Percent {
  if (Number.isNaN(temperature)) return fullSpeed;
  const above = curve.points.findIndex(({ at }) => at > temperature);
  const lower = above === -1 ? curve.points.at(-1) : curve.points[above - 1];
  const upper = above === -1 ? undefined : curve.points[above];
  if (lower === undefined) return upper?.duty ?? fullSpeed;
  if (upper === undefined || curve.interpolation === "steps") return lower.duty;
  const share = (temperature - lower.at) / (upper.at - lower.at);
  return percent(lower.duty + share * (upper.duty - lower.duty));
}
