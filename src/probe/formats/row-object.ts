import { measuresOf } from "../rows/measures.ts";
import type { Answer } from "../health.ts";
import type { Row } from "../row.ts";

/** A row as `-o json` has it: every key always there, units in the names, null where nothing is known. */
export function rowObject(row: Row) {
  const { health } = row;
  const measures = measuresOf(row);
  return {
    name: row.name,
    state: row.state,
    health: measures.health,
    known: row.isKnown,
    host: row.host,
    addresses: row.addresses.map(({ address, family, zone }) => ({ address, family, interface: zone })),
    port: row.port,
    serial: row.serial,
    model: row.model,
    role: row.role,
    version: row.version,
    temperature_celsius: measures.temp,
    fans: (health?.fans ?? []).map(({ name, dutyRatio, rpm, isStalled }) => ({
      name,
      duty_ratio: dutyRatio,
      rpm,
      stalled: isStalled,
    })),
    load1: measures.load,
    processors: health?.processors ?? null,
    memory_total_bytes: health?.memory?.total ?? null,
    memory_available_bytes: health?.memory?.available ?? null,
    disk_size_bytes: health?.disk?.size ?? null,
    disk_available_bytes: health?.disk?.available ?? null,
    disk_read_only: health?.disk?.isReadOnly ?? null,
    throttled: health?.throttled ?? null,
    throttled_since_boot: health?.throttledSinceBoot ?? null,
    uptime_seconds: measures.uptime,
    clock_synchronised: health?.isClockSynchronised ?? null,
    failed_units: health?.failedUnits ?? null,
    doubtful_sensors: health?.doubtfulSensors ?? [],
    answer: row.answer === null ? null : answerObject(row.answer),
    ailments: row.ailments,
    warnings: row.warnings,
  };
}

function answerObject(answer: Answer) {
  return answer.answer === "page"
    ? { answer: answer.answer, milliseconds: answer.milliseconds, address: answer.address }
    : { answer: answer.answer, why: answer.why };
}

/** JSON in which nothing commands a terminal: what is not printable stands as an escape, and means the same. */
export function harmlessJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}
