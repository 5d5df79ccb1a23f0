import { setTimeout as sleep } from "node:timers/promises";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError, type FailureKind } from "../../core/errors.ts";
import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import { advise, renderAdvice } from "../../fand/calibrate/advice.ts";
import type { Calibrated, CalibrationSample, Uncalibrated } from "../../fand/calibrate/calibration.ts";
import { examineFand, fandFiles, settingsOf } from "../../fand/config/fand-load.ts";
import type { FandSettings } from "../../fand/config/settings.ts";
import type { Percent } from "../../fand/units.ts";
import { calibrateFan } from "./calibrate-fan.ts";
import { runFolderOf } from "./run-folder.ts";

/** `berry fand calibrate`: how slowly a fan turns, and at which duty it starts. */
export const calibrate = defineVerb({
  description: "find the slowest duty of a fan with a tachometer, and the one that starts it, in a minute",
  examples: ["berry fand calibrate", "berry fand calibrate fan --config fand.toml"],
  args: {
    fan: { type: "positional", required: false, description: "which fan, where there are several" },
    config: { type: "string", valueHint: "FILE", description: "the configuration: that of this machine" },
  },
  async run({ args, json, stdout, screen, log, signal }) {
    const isRoot = process.getuid?.() === 0;
    const settings = settingsOf(await examineFand(args.config ?? null, process.getuid?.() ?? 0));
    let told: Percent | null = null;
    const { fan, outcome } = await calibrateFan(
      {
        roots: systemRoots,
        isRoot,
        runFolder: runFolderOf(process.env),
        clock: {
          now: () => performance.now() / 1000,
          sleep: (seconds, until) =>
            sleep(Math.max(0, seconds * 1000), undefined, { signal: until }).catch(() => undefined),
        },
        failsafeEnv: {},
        onSample(duty, sample) {
          screen.redraw([tellSample(duty, sample)]);
          if (!screen.output.isTerminal && duty !== told) log.info(tellSample(duty, sample));
          told = duty;
        },
        warn: (message, hint) => log.warn(message, hint),
      },
      settings,
      args.fan,
      signal,
    );
    screen.redraw([]);
    if (!outcome.isFound) throw failureOf(fan.name, outcome);
    const advice = advise(outcome);
    const toml = renderAdvice(advice);
    stdout.write(
      json
        ? `${JSON.stringify({ fan: fan.name, seen: outcome, advice, toml })}\n`
        : [...tellCalibrated(fan.name, outcome, settings), ...toml].map((line) => `${line}\n`).join(""),
    );
    log.info("the fan runs at full speed: systemctl start berry-fand drives it again");
  },
});

function tellSample(duty: Percent, { seconds, rpm, temperature }: CalibrationSample): string {
  const speed = rpm === null ? "no reading" : `${rpm} rpm`;
  const warmth = temperature === null ? "in doubt" : `${temperature.toFixed(1)} °C`;
  return `${Math.floor(seconds)} s of 60: ${duty} %, ${speed}, ${warmth}`;
}

/** As comments of the lines that follow. */
function tellCalibrated(
  name: string,
  { fullRpm, slowest, neverStops, start }: Calibrated,
  { file, fans, dialect }: FandSettings,
): readonly string[] {
  const starting = neverStops
    ? "it never stops"
    : start === null
      ? "where it starts was not found in time: full speed starts it"
      : `it starts at ${start.duty} % within ${start.seconds.toFixed(1)} s`;
  const into = dialect === "berry" && file !== null ? file : fandFiles[0];
  return [
    `# fan ${name}: ${fullRpm} rpm at 100 %, ${slowest.rpm} rpm at ${slowest.duty} %; ${starting}`,
    `# for ${into}${fans.length > 1 ? `, in the [[fan]] of this name` : ""}, with a margin for dust, cold and age`,
    ...(dialect === "rpifand"
      ? ["# rpifand's file has no such keys: berry fand migrate makes one of berry's"]
      : []),
  ];
}

function failureOf(name: string, { reason, found }: Uncalibrated): BerryError {
  const [kind, message, hint] = words(reason);
  return new BerryError(kind, `fan ${name}: ${message}: ${found}`, {
    hint: `${hint}; it runs at full speed now`,
  });
}

function words(reason: Uncalibrated["reason"]): readonly [FailureKind, string, string] {
  switch (reason) {
    case "too-hot":
      return ["temporary", "given up, too hot", "let it cool down, with less load, and try again"];
    case "in-doubt":
      return ["unavailable", "given up", "berry fand check says how each sensor is found"];
    case "no-reading":
      return ["io", "given up", "see dmesg for what the fan's driver says"];
    case "still":
      return ["unavailable", "it does not turn", "look after it, its supply and the wire of its tachometer"];
    case "unsteady":
      return [
        "unavailable",
        "its tachometer counts noise",
        "it needs a pull-up, and a wire that is not too long",
      ];
    case "deaf":
      return ["unavailable", "its speed does not follow its duty", "see whether its PWM wire is connected"];
    case "out-of-time":
      return [
        "temporary",
        "it is too slow to follow within a minute",
        "set minimum_duty by eye: berry fand set 40%",
      ];
  }
}
