import type { SensorSettings } from "../config/settings.ts";
import { celsius } from "../units.ts";
import type { Celsius } from "../units.ts";

/** What a sensor gave, before anyone has looked at it. */
export type Reading =
  | { readonly kind: "text"; readonly text: string; readonly isFaulty: boolean }
  /** `why` names what was looked for, or what the kernel said. */
  | { readonly kind: "missing" | "unreadable"; readonly why: string };

/** Why a reading is not believed. */
export interface Doubt {
  readonly kind: "missing" | "unreadable" | "garbage" | "out-of-range" | "faulty" | "stuck";
  /** In words, with values. */
  readonly found: string;
}

export interface SensorMemory {
  readonly text: string | null;
  /** For how long the text has been the same. */
  readonly unchangedSeconds: number;
}

export const sensorBegin: SensorMemory = { text: null, unchangedSeconds: 0 };

export interface Judged {
  readonly memory: SensorMemory;
  /** null exactly where there is a doubt. */
  readonly temperature: Celsius | null;
  readonly doubt: Doubt | null;
}

/** A temperature, or why there is none. `elapsedSeconds` since the reading before, by a clock that never jumps. */
export function judgeReading(
  memory: SensorMemory,
  reading: Reading,
  elapsedSeconds: number,
  settings: SensorSettings,
): Judged {
  if (reading.kind !== "text") return doubtful(sensorBegin, reading.kind, reading.why);
  const text = reading.text.trim();
  const isSame = text === memory.text;
  const now = { text, unchangedSeconds: isSame ? memory.unchangedSeconds + Math.max(0, elapsedSeconds) : 0 };
  if (reading.isFaulty) return doubtful(now, "faulty", "its fault flag is set");
  if (!/^-?\d{1,7}$/.test(text))
    return doubtful(now, "garbage", `${JSON.stringify(text.slice(0, 20))}${ofFile(settings)}`);
  const millidegrees = Number(text);
  if (settings.source.kind === "file" && millidegrees !== 0 && Math.abs(millidegrees) < leastOfFile)
    return doubtful(now, "out-of-range", likelyDegrees(millidegrees));
  const degrees = millidegrees / 1000;
  if (degrees < settings.minimum || degrees > settings.maximum)
    return doubtful(
      now,
      "out-of-range",
      `${degrees.toFixed(1)} °C, not of ${settings.minimum} to ${settings.maximum} °C`,
    );
  const { stuckAfterSeconds } = settings;
  if (stuckAfterSeconds !== null && now.unchangedSeconds >= stuckAfterSeconds)
    return doubtful(now, "stuck", `${degrees.toFixed(1)} °C for ${Math.floor(now.unchangedSeconds)} s`);
  return { memory: now, temperature: celsius(degrees), doubt: null };
}

/** What somebody's program writes may be degrees: nothing from them up to here is a temperature of its own. */
const leastOfFile = 200;

/** What is odd about a temperature of a file, though it may be one; null: nothing. */
export function oddityOf({ source }: SensorSettings, temperature: Celsius | null): string | null {
  if (source.kind !== "file" || temperature === null || temperature === 0) return null;
  return Math.abs(temperature) < 1 ? likelyDegrees(Math.round(temperature * 1000)) : null;
}

function ofFile({ source }: SensorSettings): string {
  return source.kind === "file" ? ", no whole number of millidegrees, such as 48500 for 48.5 °C" : "";
}

function likelyDegrees(value: number): string {
  return `${value} is ${value / 1000} °C: a file holds millidegrees, as the kernel writes them, such as 48500 for 48.5 °C`;
}

function doubtful(memory: SensorMemory, kind: Doubt["kind"], found: string): Judged {
  return { memory, temperature: null, doubt: { kind, found } };
}
