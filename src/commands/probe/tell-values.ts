import type { Style } from "../../cli/style.ts";
import { printable } from "../../core/printable.ts";
import {
  diskCriticalPercent,
  diskWarningPercent,
  memoryAvailableWarningPercent,
} from "../../probe/health/limits.ts";
import type { Row } from "../../probe/row.ts";
import { measuresOf } from "../../probe/rows/measures.ts";

/** `40 % 2150 rpm` of the fan that turns fastest; `-`: there is none, or it does not say. */
export function tellFan(row: Row, style: Style): string {
  const { fan, rpm } = measuresOf(row);
  if (row.health?.fans.some(({ isStalled }) => isStalled) === true)
    return style.red(fan === null ? "still" : `${fan.toFixed(0)} % still`);
  if (fan === null) return rpm === null ? "-" : `${rpm.toFixed(0)} rpm`;
  return `${fan.toFixed(0)} %${rpm === null ? "" : ` ${rpm.toFixed(0)} rpm`}`;
}

/** Percent in use. */
export function tellPercent(row: Row, what: "memory" | "disk", style: Style): string {
  const percent = measuresOf(row)[what];
  if (percent === null) return "-";
  const [warning, critical] =
    what === "disk"
      ? [diskWarningPercent, diskCriticalPercent]
      : [100 - memoryAvailableWarningPercent, Infinity];
  const text = `${Math.floor(percent)} %`;
  return percent >= critical ? style.red(text) : percent >= warning ? style.yellow(text) : text;
}

/** Why it is slowed down now, else why it was since it was started. */
export function tellThrottled({ health }: Row, style: Style): string {
  if (health === null || health.throttled === null) return "-";
  if (health.throttled.length > 0) return style.red(printable(health.throttled.join(", ")));
  const before = health.throttledSinceBoot ?? [];
  return before.length > 0 ? style.yellow(printable(`was: ${before.join(", ")}`)) : "no";
}

/** `12 s`, `5 min`, `3 h 05 min`, `12 d 4 h`; `-`: not known. */
export function formatUptime(seconds: number | null): string {
  if (seconds === null) return "-";
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes === 0) return `${Math.floor(seconds)} s`;
  if (hours === 0) return `${minutes} min`;
  if (days === 0) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${days} d ${hours % 24} h`;
}

/** A cell of at most so many columns, colours apart; what is longer ends in `…`. */
export function cutTo(cell: string, width: number): string {
  return Bun.sliceAnsi(cell, 0, width, { ellipsis: "…" });
}
