declare const unit: unique symbol;
type Quantity<Unit extends string> = number & { readonly [unit]: Unit };

/** A count of bytes: a whole number, zero or more. */
export type Bytes = Quantity<"bytes">;

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** @throws RangeError unless `value` is a whole number of bytes, zero or more */
export function bytes(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a number of bytes: ${value}`);
  return value as Bytes;
}

/** `value` rounded up to the next multiple of `step`. */
export function roundUp(value: number, step: number): Bytes {
  return bytes(Math.ceil(value / step) * step);
}

/** A size for people, in binary units: `1.4 GiB`, `312 MiB`, `17 B`. */
export function formatBytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = value;
  let index = 0;
  while (amount >= 1024 && index < units.length - 1) {
    amount /= 1024;
    index += 1;
  }
  const digits = index === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${units[index]}`;
}

/** A duration for people: `0.4 s`, `12 s`, `3 min 05 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
