export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

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

/** A duration for people: `0.4 s`, `12 s`, `3 min 05 s`, `24 h`, `1 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole >= 3600) {
    const minutes = Math.round(whole / 60);
    const rest = minutes % 60 === 0 ? "" : ` ${String(minutes % 60).padStart(2, "0")} min`;
    return `${Math.floor(minutes / 60)} h${rest}`;
  }
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
