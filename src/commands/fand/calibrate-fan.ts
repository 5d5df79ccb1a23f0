import { join } from "node:path";
import failsafeScript from "../../../systemd/berry-fand-failsafe.sh" with { type: "text" };
import { BerryError } from "../../core/errors.ts";
import type { Roots } from "../../fand/backends/collect-machine-file.ts";
import { hwmonBackend } from "../../fand/backends/hwmon-file.ts";
import { renderNote } from "../../fand/backends/note.ts";
import type { Calibrated, CalibrationSample, Uncalibrated } from "../../fand/calibrate/calibration.ts";
import { startGuard } from "../../fand/calibrate/guard-file.ts";
import { prepareCalibration } from "../../fand/calibrate/prepare-file.ts";
import { runCalibration } from "../../fand/calibrate/run-calibration.ts";
import type { Fan, FandSettings } from "../../fand/config/settings.ts";
import { claimFans } from "../../fand/daemon/claim-fans-ffi.ts";
import { replaceFile } from "../../fand/daemon/run-folder-file.ts";
import type { SteadyClock } from "../../fand/daemon/serve.ts";
import type { Percent } from "../../fand/units.ts";

/** What a calibration lives in; all of it other in tests. */
export interface CalibrationPlace {
  readonly roots: Roots;
  readonly isRoot: boolean;
  /** Such as /run/berry. */
  readonly runFolder: string;
  readonly clock: SteadyClock;
  /** Of the script that brings the fan to full speed when this process is dead. */
  readonly failsafeEnv: Readonly<Record<string, string>>;
  onSample(duty: Percent, sample: CalibrationSample): void;
  /** Something that did not go as it should, and does not matter for the result. */
  warn(message: string, hint: string): void;
}

/**
 * Tries one fan out, alone: no daemon drives it meanwhile, and a guard brings it to full speed if this process dies
 * or is stopped. The fan is at full speed when this returns or throws.
 * @throws BerryError where it cannot begin, was interrupted, or could not be done
 */
export async function calibrateFan(
  place: CalibrationPlace,
  settings: FandSettings,
  name: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly fan: Fan; readonly outcome: Calibrated | Uncalibrated }> {
  using prepared = prepareCalibration(settings, name, place.roots, place.isRoot);
  const { fan, output } = prepared;
  using _claim = claimFans(place.runFolder);
  const note = join(place.runFolder, "outputs");
  replaceFile(note, renderNote([output]));
  const guard = await startGuard(failsafeScript, { BERRY_FAND_NOTE: note, ...place.failsafeEnv });
  const ended = new AbortController();
  const stop = () => ended.abort(new BerryError("interrupted", "interrupted by SIGTSTP"));
  // a process that is stopped looks after nothing
  process.on("SIGTSTP", stop);
  guard.lost.catch((cause: unknown) =>
    ended.abort(new BerryError("os", "nobody watches over the fan any more", { cause })),
  );
  let last = place.clock.now();
  try {
    const outcome = await runCalibration(
      {
        backend: hwmonBackend(output),
        clock: place.clock,
        readRpm: () => prepared.readRpm(),
        readTemperature() {
          const before = last;
          last = place.clock.now();
          return prepared.readTemperature(last - before);
        },
        beat: () => guard.beat(),
        onSample: (duty, sample) => place.onSample(duty, sample),
      },
      settings.limits.calibration,
      AbortSignal.any([signal, ended.signal]),
    );
    return { fan, outcome };
  } finally {
    process.off("SIGTSTP", stop);
    if (!(await guard.dismiss()))
      place.warn("the script that brings fans to full speed has failed", "sudo berry fand failsafe says why");
  }
}
