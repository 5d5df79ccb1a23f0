import type { Row, State } from "../row.ts";
import { measuresOf } from "../rows/measures.ts";

export type Value = string | number | boolean | readonly string[] | null;

/** What can be asked of a field, and how its numbers may be written. */
export interface Field {
  readonly kind: "text" | "version" | "number" | "flag" | "words";
  /** By what a number of that unit is multiplied. */
  readonly units: Readonly<Record<string, number>>;
  /** All that a text can be; undefined: anything. */
  readonly values?: readonly string[];
  /** Whether its numbers may be written in parts: `2h30min`. */
  readonly isSum?: boolean;
}

export type FieldName =
  | "name"
  | "state"
  | "model"
  | "role"
  | "version"
  | "serial"
  | "address"
  | "temp"
  | "fan"
  | "rpm"
  | "load"
  | "memory"
  | "disk"
  | "uptime"
  | "throttled"
  | "known"
  | "health";

const text: Field = { kind: "text", units: {} };
const percent: Field = { kind: "number", units: { "%": 1 } };

export const fields: Readonly<Record<FieldName, Field>> = {
  name: text,
  state: { ...text, values: ["alive", "dead", "missing", "unknown"] satisfies State[] },
  model: text,
  role: text,
  version: { kind: "version", units: {} },
  serial: text,
  address: { kind: "words", units: {} },
  temp: { kind: "number", units: { C: 1, "°C": 1, "°": 1 } },
  fan: percent,
  rpm: { kind: "number", units: { rpm: 1 } },
  load: { kind: "number", units: {} },
  memory: percent,
  disk: percent,
  uptime: { kind: "number", units: { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 }, isSum: true },
  throttled: { kind: "words", units: {} },
  known: { kind: "flag", units: {} },
  health: { ...text, values: ["ok", "warning", "critical"] },
};

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(fields, name);
}

/** @returns null for what is not known of the row */
export function valueOf(row: Row, field: FieldName): Value {
  switch (field) {
    case "name":
    case "state":
    case "model":
    case "role":
    case "version":
    case "serial":
      return row[field];
    case "address":
      return row.addresses.map(({ address }) => address);
    case "known":
      return row.isKnown;
    case "temp":
    case "fan":
    case "rpm":
    case "load":
    case "memory":
    case "disk":
    case "uptime":
    case "throttled":
    case "health":
      return measuresOf(row)[field];
  }
}
