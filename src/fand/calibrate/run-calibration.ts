import type { FanBackend } from "../backends/fan-backend.ts";
import { BerryError } from "../../core/errors.ts";
import type { SteadyClock } from "../daemon/serve.ts";
import { fullSpeed } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";
import {
  calibration,
  calibrationSeconds,
  type Calibrated,
  type CalibrationSample,
  type Uncalibrated,
} from "./calibration.ts";

/** What a calibration is done with. */
export interface CalibrationPorts {
  readonly backend: FanBackend;
  readonly clock: SteadyClock;
  /** Turns a minute; null: cannot be read. */
  readRpm(): number | null;
  /** The highest of the fan's sensors; null: in doubt. */
  readTemperature(): Celsius | null;
  /** Tells whoever watches over this process that it lives. */
  beat(): void;
  onSample(duty: Percent, sample: CalibrationSample): void;
}

const intervalSeconds = 0.25;
const beatSeconds = 1;
/** Whoever was held up for so long has not looked after the fan. */
const heldUpSeconds = 3;

/**
 * Takes a fan, tries it out, and leaves it at full speed: at the end, when the signal aborts, and when anything is
 * thrown. That it is at full speed is done before this has returned to its caller.
 * @throws BerryError `temporary` where this process was held up, what the backend throws, or the signal's reason
 */
export async function runCalibration(
  ports: CalibrationPorts,
  limit: Celsius,
  signal: AbortSignal,
): Promise<Calibrated | Uncalibrated> {
  const { backend, clock } = ports;
  signal.throwIfAborted();
  const release = () => backend.dispose();
  signal.addEventListener("abort", release, { once: true });
  try {
    backend.open();
    const protocol = calibration(limit);
    const begin = clock.now();
    let step = protocol.next();
    let last = begin;
    let beaten = -Infinity;
    while (step.done !== true) {
      const duty = step.value;
      backend.setDuty(duty);
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(intervalSeconds, signal);
      signal.throwIfAborted();
      const now = clock.now();
      if (now - last > heldUpSeconds || now - begin > calibrationSeconds)
        throw new BerryError("temporary", `the calibration was held up for ${Math.round(now - last)} s`, {
          hint: "try again when the machine is less busy",
        });
      last = now;
      if (now - beaten >= beatSeconds) {
        beaten = now;
        ports.beat();
      }
      const sample = { seconds: now - begin, rpm: ports.readRpm(), temperature: ports.readTemperature() };
      ports.onSample(duty, sample);
      step = protocol.next(sample);
    }
    backend.setDuty(fullSpeed);
    return step.value;
  } finally {
    signal.removeEventListener("abort", release);
    release();
  }
}
