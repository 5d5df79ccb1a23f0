import { formatSeconds } from "../../core/units.ts";
import type { Doubt } from "../sensors/judge-reading.ts";
import type { Celsius, Percent } from "../units.ts";

/** What is worth a line in the log: it has changed. */
export type FandEvent =
  | {
      readonly event: "duty";
      readonly fan: string;
      readonly from: Percent;
      readonly to: Percent;
      /** null: in doubt. */
      readonly temperature: Celsius | null;
    }
  | { readonly event: "doubt"; readonly sensor: string; readonly doubt: Doubt }
  | { readonly event: "trusted"; readonly sensor: string; readonly temperature: Celsius }
  | { readonly event: "lost"; readonly fan: string; readonly why: string }
  | { readonly event: "regained"; readonly fan: string }
  /** By hand, for so many seconds. */
  | { readonly event: "set"; readonly fan: string; readonly duty: Percent; readonly seconds: number }
  /** Its rule decides again. */
  | { readonly event: "released"; readonly fan: string }
  /** What was set by hand cannot be believed. */
  | { readonly event: "ignored"; readonly path: string; readonly why: string }
  | { readonly event: "stalled" | "turning"; readonly fan: string; readonly duty: Percent };

/** A line without a full stop; `isAlarm` where someone should look after it. */
export function tellEvent(event: FandEvent): { readonly line: string; readonly isAlarm: boolean } {
  switch (event.event) {
    case "duty": {
      const why = event.temperature === null ? "in doubt" : `at ${event.temperature.toFixed(1)} °C`;
      return { line: `${event.fan}: ${shown(event.from)} % → ${shown(event.to)} % ${why}`, isAlarm: false };
    }
    case "doubt":
      return {
        line: `sensor ${event.sensor} is ${event.doubt.kind}: ${event.doubt.found}: full speed`,
        isAlarm: true,
      };
    case "trusted":
      return { line: `sensor ${event.sensor} is back: ${event.temperature.toFixed(1)} °C`, isAlarm: false };
    case "lost":
      return { line: `fan ${event.fan} does not follow: ${event.why}`, isAlarm: true };
    case "stalled":
      return {
        line: `fan ${event.fan} does not turn at ${shown(event.duty)} %: look after it; full speed until it does`,
        isAlarm: true,
      };
    case "turning":
      return { line: `fan ${event.fan} turns again`, isAlarm: false };
    case "set": {
      const held = formatSeconds(Math.round(event.seconds));
      return {
        // as it was typed
        line: `fan ${event.fan} is set to ${event.duty} % by hand for ${held}`,
        isAlarm: false,
      };
    }
    case "released":
      return { line: `fan ${event.fan} is not set by hand any more`, isAlarm: false };
    case "ignored":
      return { line: `${event.path}: not believed: ${event.why}: nothing is set by hand`, isAlarm: true };
    case "regained":
      return { line: `fan ${event.fan} follows again`, isAlarm: false };
  }
}

function shown(duty: Percent): number {
  return Math.round(duty);
}
