import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeSource, type SensorSource } from "../config/settings.ts";

/** Where a sensor is now. Numbers of zones and chips differ from boot to boot: nothing is remembered by them. */
export type Found =
  | { readonly isFound: true; readonly input: string; readonly fault: string | null }
  /** `why` says what there is instead. */
  | { readonly isFound: false; readonly why: string };

/** @param sys the root of sysfs, `/sys` */
export function findSensor(source: SensorSource, sys: string): Found {
  switch (source.kind) {
    case "file":
      return { isFound: true, input: source.path, fault: null };
    case "thermal": {
      const zones = numbered(join(sys, "class/thermal"), "thermal_zone").map((folder) => ({
        folder,
        type: lineOf(join(folder, "type")),
      }));
      const zone = zones.find(({ type }) => type !== null && isSameName(type, source.type));
      return zone === undefined
        ? missing(
            source,
            zones.map(({ type }) => type),
          )
        : { isFound: true, input: join(zone.folder, "temp"), fault: null };
    }
    case "hwmon":
      return findHwmon(source, sys);
  }
}

function findHwmon(source: SensorSource & { kind: "hwmon" }, sys: string): Found {
  const chips = numbered(join(sys, "class/hwmon"), "hwmon").map((folder) => ({
    folder,
    name: lineOf(join(folder, "name")),
  }));
  const inputs = chips
    .filter(({ name }) => name !== null && isSameName(name, source.chip))
    .flatMap(({ folder }) => temperaturesOf(folder));
  if (inputs.length === 0)
    return missing(
      source,
      chips.map(({ name }) => name),
    );
  const { label } = source;
  const input = inputs.find(({ name, label: own }) => label === null || own === label || name === label);
  if (input === undefined)
    return missing(
      source,
      inputs.map(({ name, label: own }) => own ?? name),
    );
  const fault = join(input.folder, `${input.name}_fault`);
  return {
    isFound: true,
    input: join(input.folder, `${input.name}_input`),
    fault: existsSync(fault) ? fault : null,
  };
}

function temperaturesOf(folder: string) {
  return entriesOf(folder)
    .map((entry) => /^(temp(\d+))_input$/.exec(entry))
    .filter((match) => match !== null)
    .sort((one, other) => Number(one[2]) - Number(other[2]))
    .map(([, name = ""]) => ({ folder, name, label: lineOf(join(folder, `${name}_label`)) }));
}

function missing(source: SensorSource, found: readonly (string | null)[]): Found {
  const names = [...new Set(found.filter((name) => name !== null))];
  const instead = names.length === 0 ? "there is none at all" : `there is ${names.join(", ")}`;
  return { isFound: false, why: `no ${describeSource(source)}: ${instead}` };
}

/** Folders such as `hwmon3`, by rising number. */
export function numbered(folder: string, prefix: string): readonly string[] {
  return entriesOf(folder)
    .filter((entry) => entry.startsWith(prefix) && /^\d+$/.test(entry.slice(prefix.length)))
    .sort((one, other) => Number(one.slice(prefix.length)) - Number(other.slice(prefix.length)))
    .map((entry) => join(folder, entry));
}

export function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The first line of a small file; null where it cannot be read. */
export function lineOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0]?.trim() ?? null;
  } catch {
    return null;
  }
}

/** All of a file; empty where it cannot be read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The kernel has called the same thing `cpu_thermal` and `cpu-thermal`. */
function isSameName(one: string, other: string): boolean {
  return one.replaceAll("_", "-") === other.replaceAll("_", "-");
}
