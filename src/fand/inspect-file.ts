import { chooseOutputs, type FanChoice } from "./backends/choose-output.ts";
import type { Flaw } from "../config/problem.ts";
import type { Warning } from "./backends/attempt.ts";
import { collectMachine, type Roots } from "./backends/collect-machine-file.ts";
import { findExposure } from "./config/exposure-file.ts";
import { describeSource, type FandSettings, type SensorSettings } from "./config/settings.ts";
import { findSensor } from "./sensors/find-sensor-file.ts";
import { withPresentGuards } from "./sensors/present-guards-file.ts";
import { type Doubt, judgeReading, oddityOf, sensorBegin } from "./sensors/judge-reading.ts";
import { openSensor } from "./sensors/sensor-file.ts";
import type { Celsius } from "./units.ts";

/** What a configuration comes to on a machine. */
export interface Inspection {
  readonly model: string | null;
  readonly sensors: readonly InspectedSensor[];
  readonly fans: readonly FanChoice[];
}

export interface InspectedSensor {
  readonly name: string;
  /** What it is looked for by. */
  readonly source: string;
  /** Where it was found; null: nowhere. */
  readonly path: string | null;
  readonly temperature: Celsius | null;
  readonly doubt: Doubt | null;
  /** What is odd about it, though it may be as it is meant. */
  readonly warnings: readonly Warning[];
}

/** Finds and reads every sensor once, and chooses an output for each fan. Drives nothing. */
export function inspect(whole: FandSettings, roots: Roots, isRoot: boolean): Inspection {
  const settings = withPresentGuards(whole, roots, null);
  const machine = collectMachine(roots, isRoot);
  return {
    model: machine.model,
    sensors: settings.sensors.map((sensor) => {
      const found = findSensor(sensor.source, roots.sys);
      const opened = openSensor(sensor, roots.sys);
      const { temperature, doubt } = judgeReading(sensorBegin, opened.read(), 0, sensor);
      opened.dispose();
      const path = found.isFound ? found.input : null;
      return {
        name: sensor.name,
        source: describeSource(sensor.source),
        path,
        temperature,
        doubt,
        warnings: warningsOf(sensor, temperature),
      };
    }),
    fans: chooseOutputs(settings.fans, machine),
  };
}

function warningsOf(sensor: SensorSettings, temperature: Celsius | null): readonly Warning[] {
  const { source } = sensor;
  if (source.kind !== "file") return [];
  const oddity = oddityOf(sensor, temperature);
  const exposure = exposureOf(source.path);
  return [
    ...(oddity === null ? [] : [{ message: oddity, hint: "correct what writes it, where it means degrees" }]),
    ...(exposure === null
      ? []
      : [
          {
            message: `${exposure.problem}: whoever writes to it decides how fast the fan turns`,
            hint: exposure.remedy,
          },
        ]),
  ];
}

/** Whether others than root may change it; null, too, where it is not there. */
function exposureOf(path: string): Flaw | null {
  try {
    return findExposure(path, 0);
  } catch {
    return null;
  }
}
