import type { Table } from "../../config/parse-table.ts";
import type { Diagnosis } from "../../config/problem.ts";
import { celsius } from "../units.ts";
import type { sensorShape } from "./fand-tables.ts";
import {
  coldest,
  cpuSensor,
  hottest,
  isOwnSensor,
  type SensorSettings,
  type SensorSource,
} from "./settings.ts";

interface Placed {
  readonly path: string;
  readonly table: Table<typeof sensorShape>;
}

/** The sensors of the file, and the Pi's own unless one of them is that. */
export function composeSensors(placed: readonly Placed[], diagnosis: Diagnosis): readonly SensorSettings[] {
  const sensors: SensorSettings[] = [];
  for (const [index, { path, table }] of placed.entries()) {
    const { values } = table;
    const source = sourceOf({ path, table }, diagnosis);
    const name = values.name ?? `sensor${index + 1}`;
    const minimum = values.minimum ?? coldest;
    const maximum = values.maximum ?? hottest;
    if (minimum >= maximum)
      diagnosis.add(
        `${path}.minimum`,
        { problem: `not below the maximum of ${maximum}`, remedy: "correct one of them" },
        minimum,
      );
    if (sensors.some((other) => other.name === name))
      diagnosis.add(`${path}.name`, { problem: "two sensors of one name", remedy: "rename one" }, name);
    sensors.push({
      name,
      source,
      stuckAfterSeconds: values.stuck_after ?? null,
      minimum: celsius(minimum),
      maximum: celsius(maximum),
    });
  }
  return sensors.some(isOwnSensor) ? sensors : [...sensors, { ...cpuSensor, name: freeName(sensors) }];
}

/** `cpu`, unless another is called so. */
function freeName(sensors: readonly SensorSettings[]): string {
  const isTaken = (wanted: string) => sensors.some(({ name }) => name === wanted);
  let name: string = cpuSensor.name;
  for (let number = 1; isTaken(name); number += 1) name = number === 1 ? "soc" : `soc${number}`;
  return name;
}

const sourceKeys = ["type", "hwmon", "file"] as const;

function sourceOf({ path, table }: Placed, diagnosis: Diagnosis): SensorSource {
  const { type, hwmon, label, file } = table.values;
  const given = sourceKeys.filter((key) => table.values[key] !== undefined || table.failed(key));
  if (given.length > 1)
    diagnosis.add(
      path,
      { problem: "more than one source", found: given.join(" and "), remedy: "keep one of them" },
      undefined,
    );
  if (label !== undefined && hwmon === undefined && !table.failed("hwmon"))
    diagnosis.add(
      `${path}.label`,
      { problem: "a label without a chip", remedy: "name the chip too: hwmon = NAME" },
      label,
    );
  if (file !== undefined) return { kind: "file", path: file };
  if (hwmon !== undefined) return { kind: "hwmon", chip: hwmon, label: label ?? null };
  if (type === undefined && given.length === 0)
    diagnosis.add(
      path,
      {
        problem: "a sensor without a source",
        found: null,
        remedy: 'add type = "cpu-thermal" (a thermal zone), hwmon = NAME, or file = PATH',
      },
      undefined,
    );
  return { kind: "thermal", type: type ?? "" };
}
