import { formatSeconds } from "../../core/units.ts";
import { longestOverrideSeconds } from "./override.ts";
import type { FanStatus } from "./parse-metrics.ts";

/** What was typed: a duty in percent; null: `auto`. */
export interface Wish {
  readonly duty: number | null;
}

/** @param text `60%`, `60` or `auto` @returns null: neither */
export function parseWish(text: string): Wish | null {
  if (text === "auto") return { duty: null };
  const digits = /^(\d{1,3}(?:\.\d{1,2})?) ?%?$/.exec(text)?.[1];
  return digits === undefined || Number(digits) > 100 ? null : { duty: Number(digits) };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600 };

/** @param text such as `90s`, `10m` or `2h` @returns seconds, from 1 s to a day; null: none of these */
export function parseHowLong(text: string): number | null {
  const [, digits, unit] = /^(\d{1,6}(?:\.\d{1,3})?) ?(s|m|min|h)$/.exec(text.trim()) ?? [];
  const seconds = Number(digits) * (unitSeconds[unit ?? ""] ?? Number.NaN);
  return seconds >= 1 && seconds <= longestOverrideSeconds ? seconds : null;
}

/**
 * Why a fan may not be set to a duty now; null: it may.
 * @param duty one that the fan turns at, or 0 @param limit in °C, above which nobody may slow it down
 */
export function refusalOf(
  { name, temperature, wanted }: FanStatus,
  duty: number,
  limit: number,
): string | null {
  if (duty >= wanted || (temperature !== null && temperature <= limit)) return null;
  const why = temperature === null ? "in doubt" : `${temperature.toFixed(1)} °C is above ${limit} °C`;
  return `fan ${name}: ${why}: it may not get less than the ${Math.round(wanted)} % that its rule asks for`;
}

/** What was done, for people. @param duty what it was set to; null: nothing any more */
export function tellSet(fan: FanStatus, asked: Wish, duty: number | null, seconds: number): string {
  if (duty === null) return `${fan.name}: its rule decides again: ${Math.round(fan.wanted)} %`;
  const isRaised = asked.duty !== null && duty > asked.duty;
  return `${fan.name}: ${duty} %${isRaised ? ", the slowest that it turns at," : ""} for ${formatSeconds(seconds)}`;
}
