import { chooseOutputs, type FanChoice } from "./backends/choose-output.ts";
import { collectMachine, type Roots } from "./backends/collect-machine-file.ts";
import { describeSource, type FandSettings } from "./config/settings.ts";
import { findSensor } from "./sensors/find-sensor-file.ts";
import { withPresentGuards } from "./sensors/guard-file.ts";
import { type Doubt, judgeReading, sensorBegin } from "./sensors/judge-reading.ts";
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
      return { name: sensor.name, source: describeSource(sensor.source), path, temperature, doubt };
    }),
    fans: chooseOutputs(settings.fans, machine),
  };
}
