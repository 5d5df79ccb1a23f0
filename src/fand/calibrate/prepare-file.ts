import { BerryError } from "../../core/errors.ts";
import { chooseOutputs } from "../backends/choose-output.ts";
import { collectMachine, type Roots } from "../backends/collect-machine-file.ts";
import type { HwmonOutput } from "../backends/output.ts";
import type { Fan, FandSettings } from "../config/settings.ts";
import { lineOf } from "../sensors/find-sensor-file.ts";
import { withPresentGuards } from "../sensors/present-guards-file.ts";
import { judgeReading, sensorBegin } from "../sensors/judge-reading.ts";
import { openSensor } from "../sensors/sensor-file.ts";
import { celsius } from "../units.ts";
import type { Celsius } from "../units.ts";

/** A fan that can be calibrated here and now. */
export interface Prepared extends Disposable {
  readonly fan: Fan;
  readonly output: HwmonOutput;
  /** Turns a minute; null: cannot be read. */
  readRpm(): number | null;
  /** The highest of the fan's sensors; null: at least one is in doubt. @param elapsedSeconds since the reading before */
  readTemperature(elapsedSeconds: number): Celsius | null;
}

/** It gets warmer while the fan is tried out. */
const spareDegrees = 10;
const byEye = "without one it is done by eye: berry fand set 40%, then less and less until it stalls";

/**
 * Looks for everything that a calibration needs. Drives nothing.
 * @param name which fan; undefined: the only one
 * @throws BerryError where a fan cannot be calibrated: what is missing, and what to do instead
 */
export function prepareCalibration(
  whole: FandSettings,
  name: string | undefined,
  roots: Roots,
  isRoot: boolean,
): Prepared {
  const settings = withPresentGuards(whole, roots, null);
  const fan = fanOf(settings, name);
  if (!isRoot)
    throw new BerryError("no-permission", "fans are driven by root alone", {
      hint: "sudo berry fand calibrate",
    });
  const output = outputOf(fan, settings, roots, isRoot);
  const { tachometer } = output;
  if (tachometer === null || output.chip === "gpio_fan")
    throw new BerryError("unavailable", `fan ${fan.name}: ${output.pwm} has no tachometer`, { hint: byEye });
  const sensors = settings.sensors
    .filter((sensor) => [...fan.sensors, ...fan.guards].includes(sensor.name))
    .map((sensor) => ({ sensor, opened: openSensor(sensor, roots.sys), memory: sensorBegin }));
  const dispose = () => {
    for (const { opened } of sensors) opened.dispose();
  };
  const readAll = (elapsedSeconds: number) =>
    sensors.map((one) => {
      const judged = judgeReading(one.memory, one.opened.read(), elapsedSeconds, one.sensor);
      one.memory = judged.memory;
      return { ...judged, name: one.sensor.name };
    });
  try {
    for (const { name: sensor, temperature, doubt } of readAll(0)) {
      if (temperature === null)
        throw new BerryError("unavailable", `sensor ${sensor} is in doubt: ${doubt?.found}`, {
          hint: "nothing would stop the calibration in time: berry fand check says how each sensor is found",
        });
      const highest = settings.limits.calibration - spareDegrees;
      if (temperature >= highest)
        throw new BerryError(
          "temporary",
          `too warm to slow a fan down: sensor ${sensor} has ${temperature.toFixed(1)} °C`,
          {
            hint: `let it cool down below ${highest} °C: at ${settings.limits.calibration} °C a calibration is given up`,
          },
        );
    }
  } catch (thrown) {
    dispose();
    throw thrown;
  }
  return {
    fan,
    output,
    readRpm() {
      const line = lineOf(tachometer);
      return line !== null && /^-?\d{1,9}$/.test(line) ? Number(line) : null;
    },
    readTemperature(elapsedSeconds) {
      const temperatures = readAll(elapsedSeconds).map(({ temperature }) => temperature ?? Number.NaN);
      const highest = Math.max(...temperatures);
      return Number.isFinite(highest) ? celsius(highest) : null;
    },
    [Symbol.dispose]: dispose,
  };
}

function fanOf({ fans }: FandSettings, name: string | undefined): Fan {
  const names = fans.map((fan) => fan.name).join(", ");
  if (name === undefined && fans.length > 1)
    throw new BerryError("usage", `there are several fans: ${names}`, {
      hint: `name one: berry fand calibrate ${fans[0]?.name}`,
    });
  const fan = fans.find((one) => name === undefined || one.name === name);
  if (fan !== undefined) return fan;
  throw new BerryError("usage", name === undefined ? "there is no fan to calibrate" : `no fan ${name}`, {
    hint: `the configuration has ${names === "" ? "none" : names}`,
  });
}

function outputOf(fan: Fan, { fans }: FandSettings, roots: Roots, isRoot: boolean): HwmonOutput {
  if (fan.mode === "on-off")
    throw new BerryError("usage", `fan ${fan.name} is switched on and off: there is no duty to find`, {
      hint: 'mode = "pwm" where its speed can be set',
    });
  // among all of them: what another fan is driven by is not this one's
  const chosen = chooseOutputs(fans, collectMachine(roots, isRoot)).find((one) => one.fan === fan);
  const { output = null, refusals = [] } = chosen ?? {};
  if (output === null)
    throw new BerryError(
      "unavailable",
      `fan ${fan.name}: nothing drives it: ${refusals.map(({ backend, why }) => `${backend}: ${why}`).join("; ")}`,
      { hint: "berry fand doctor says what is missing" },
    );
  if (output.kind !== "hwmon")
    throw new BerryError("unavailable", `fan ${fan.name}: backend ${output.kind} has no tachometer`, {
      hint: byEye,
    });
  return output;
}
