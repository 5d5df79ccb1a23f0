import { isTable, type Misplaced, parseTable } from "../../config/parse-table.ts";
import type { Diagnosis } from "../../config/problem.ts";
import { composeFan } from "./compose-fan.ts";
import { composeSensors } from "./compose-sensors.ts";
import { defaultIntervalSeconds } from "./defaults.ts";
import { fanShape, limitsShape, sensorShape, topShape } from "./fand-tables.ts";
import { defaultLimits, type Fan, type FandSettings } from "./settings.ts";
import { celsius } from "../units.ts";

/**
 * The settings in the content of a fand.toml. A file for one fan may have the fan's keys at the top.
 * Problems go to the diagnosis: only without any does the value count. It is frozen throughout.
 */
export function composeFand(
  content: Readonly<Record<string, unknown>>,
  file: string | null,
  diagnosis: Diagnosis,
): FandSettings {
  const hasFans = content["fan"] !== undefined;
  const fanKeys = Object.keys(fanShape);
  const others = ["fan", "sensor", "limits", ...(hasFans ? [] : fanKeys)];
  const top = parseTable(topShape, content, "", diagnosis, {
    otherKeys: others,
    misplaced: hasFans ? belowFan(fanKeys) : undefined,
  });
  const limits = parseTable(limitsShape, content["limits"] ?? {}, "limits", diagnosis).values;
  const sensors = composeSensors(
    tables(content["sensor"], "sensor", diagnosis).map(([path, raw]) => ({
      path,
      table: parseTable(sensorShape, raw, path, diagnosis),
    })),
    diagnosis,
  );
  const raws: readonly (readonly [string, unknown])[] = hasFans
    ? tables(content["fan"], "fan", diagnosis)
    : [["", Object.fromEntries(Object.entries(content).filter(([key]) => fanKeys.includes(key)))]];
  const fans = raws
    .map(([path, raw], index) => {
      const table = parseTable(fanShape, raw, path, diagnosis);
      return composeFan(table, path, index, sensors, diagnosis);
    })
    .filter((fan) => fan !== null);
  checkFansDiffer(fans, diagnosis);
  return freeze({
    file,
    dialect: "berry",
    intervalSeconds: top.values.interval ?? defaultIntervalSeconds,
    fans,
    sensors,
    limits: {
      override: celsius(limits.override ?? defaultLimits.override),
      calibration: celsius(limits.calibration ?? defaultLimits.calibration),
    },
  });
}

/** Fans, or sensors, with how messages call them: by their name where they have a usable one. */
function tables(raw: unknown, name: string, diagnosis: Diagnosis): readonly (readonly [string, unknown])[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) {
    diagnosis.add(name, { problem: "not a list of tables", remedy: `write [[${name}]]` }, raw);
    return [];
  }
  return raw.map((entry: unknown, index) => {
    const own = isTable(entry) ? entry["name"] : undefined;
    return [
      typeof own === "string" && /^[\w-]+$/.test(own) ? `${name}[${own}]` : `${name}[#${index + 1}]`,
      entry,
    ];
  });
}

function belowFan(keys: readonly string[]): Readonly<Record<string, Misplaced>> {
  return Object.fromEntries(
    keys.map((key) => [
      key,
      {
        problem: "a key of one fan, in a file with [[fan]]",
        found: null,
        remedy: "write it below its [[fan]]",
      },
    ]),
  );
}

function checkFansDiffer(fans: readonly Fan[], diagnosis: Diagnosis): void {
  for (const [index, fan] of fans.entries()) {
    const before = fans.slice(0, index);
    const place = `fan[${fan.name}]`;
    if (before.some(({ name }) => name === fan.name))
      diagnosis.add(`${place}.name`, { problem: "two fans of one name", remedy: "rename one" }, fan.name);
    const twin = before.find(({ pin }) => pin !== null && pin === fan.pin);
    if (twin !== undefined)
      diagnosis.add(
        `${place}.pin`,
        { problem: `the pin of fan ${twin.name}`, remedy: "give every fan a pin of its own" },
        fan.pin,
      );
  }
}

export function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freeze(part);
  return Object.freeze(value);
}
