import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import failsafeScript from "../../../systemd/berry-fand-failsafe.sh" with { type: "text" };
import { defineVerb } from "../../cli/verb.ts";
import { ownVersion } from "../../cli/version.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import type { FandSettings } from "../../fand/config/settings.ts";
import { openNotifier } from "../../fand/daemon/notify-ffi.ts";
import { commandRunner } from "../../system/command-runner.ts";
import { drive } from "./drive.ts";

/** `berry fand`: the daemon, in the foreground, as systemd wants it. */
export const run = defineVerb({
  description: "drive the fans until SIGTERM, which leaves them at full speed; SIGHUP reloads",
  examples: ["berry fand run", "berry fand run --config fand.toml"],
  args: {
    config: { type: "string", valueHint: "FILE", description: "the configuration: /etc/berry/fand.toml" },
  },
  async run({ args, log, signal }) {
    const ended = new AbortController();
    const failed = (thrown: unknown) => {
      process.exitCode = 70;
      ended.abort(thrown);
    };
    // nothing ends this process without the fans being left at full speed first
    process.on("uncaughtException", failed);
    process.on("unhandledRejection", failed);
    const whole = AbortSignal.any([signal, ended.signal]);
    try {
      await drive(
        {
          roots: systemRoots,
          isRoot: process.getuid?.() === 0,
          runFolder: process.env["RUNTIME_DIRECTORY"]?.split(":")[0] ?? "/run/berry",
          version: ownVersion(process.arch).version,
          clock: {
            now: () => performance.now() / 1000,
            sleep: (seconds, until) =>
              sleep(Math.max(0, seconds * 1000), undefined, { signal: until }).catch(() => undefined),
          },
          notifier: openNotifier(process.env["NOTIFY_SOCKET"]),
          wallSeconds: () => Date.now() / 1000,
          load: (until) => loadSettings(args.config, log, until),
          onReload(listener) {
            // otherwise it ends berry, as Ctrl-C does
            process.removeAllListeners("SIGHUP");
            process.on("SIGHUP", listener);
          },
        },
        log,
        whole,
      );
    } catch (thrown) {
      if (!whole.aborted) await raiseEverything(signal);
      throw thrown;
    }
    if (ended.signal.aborted) throw ended.signal.reason;
  },
});

/** By a process of its own, whose libraries are gone when it ends. */
async function loadSettings(file: string | undefined, log: Log, signal: AbortSignal): Promise<FandSettings> {
  const compiled = import.meta.path.startsWith("/$bunfs/");
  const self = compiled ? [process.execPath] : [process.execPath, join(import.meta.dir, "../../main.ts")];
  const argv = [...self, "fand", "settings", "--no-color", ...(file === undefined ? [] : ["--", file])];
  const { exitCode, stdout, stderr } = await commandRunner.run(argv, { env: {} }, signal);
  if (exitCode !== 0)
    throw new BerryError(exitCode === 78 ? "config" : "no-input", stderr.trim().replace(/^error: /, ""));
  // checked boundary: berry's own words to itself
  const { settings, warnings } = JSON.parse(stdout) as {
    readonly settings: FandSettings;
    readonly warnings: readonly { readonly message: string; readonly hint: string }[];
  };
  for (const { message, hint } of warnings) log.warn(message, hint);
  return settings;
}

async function raiseEverything(signal: AbortSignal): Promise<void> {
  await commandRunner
    .run(["/bin/sh", "-s"], { stdin: failsafeScript, env: {} }, signal)
    .catch(() => undefined);
}
