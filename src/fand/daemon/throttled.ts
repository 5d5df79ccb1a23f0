/** Why the firmware slows a Pi down, by bit: now in the lower half word, since boot in the upper (vcgencmd get_throttled). */
const reasons = ["under-voltage", "frequency-capped", "throttled", "soft-temperature-limit"] as const;

export interface Throttling {
  readonly reason: (typeof reasons)[number];
  readonly isNow: boolean;
  /** null: not known on this kernel. */
  readonly isSinceBoot: boolean | null;
}

/** @param text hexadecimal, with or without 0x @returns null where it is no number */
export function readThrottled(text: string): readonly Throttling[] | null {
  const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return null;
  const bits = Number.parseInt(digits, 16);
  return reasons.map((reason, bit) => ({
    reason,
    isNow: (bits & (1 << bit)) !== 0,
    isSinceBoot: (bits & (1 << (bit + 16))) !== 0,
  }));
}

/**
 * The alarm of the kernel's own driver, which asks the firmware every two seconds (raspberrypi-hwmon, in0_lcrit_alarm).
 * @returns null where it is none
 */
export function readVoltageAlarm(text: string): readonly Throttling[] | null {
  if (text !== "0" && text !== "1") return null;
  return [{ reason: "under-voltage", isNow: text === "1", isSinceBoot: null }];
}
