import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import failsafeScript from "../../../systemd/berry-fand-failsafe.sh" with { type: "text" };
import { ownVersion } from "../../cli/version.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import type { FandSettings } from "../../fand/config/settings.ts";
import { type Claim, claimFans } from "../../fand/daemon/claim-fans-ffi.ts";
import { openNotifier } from "../../fand/daemon/notify-ffi.ts";
import { readBootSeconds } from "../../fand/daemon/override-file.ts";
import { refusalOfFile } from "../../fand/daemon/run-folder-file.ts";
import { drive } from "./drive.ts";
import { runFolderOf } from "./run-folder.ts";

/**
 * Drives this machine's fans until the signal aborts.
 * @param config the configuration; undefined: that of this machine
 * @throws BerryError when it cannot begin, or what was thrown anywhere: all fans are at full speed then
 */
export async function runDaemon(config: string | undefined, log: Log, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const fail = (thrown: unknown) => ended.abort(thrown);
  // nothing ends this process without the fans being left at full speed first
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const whole = AbortSignal.any([signal, ended.signal]);
  const runFolder = runFolderOf(process.env);
  const uid = process.getuid?.() ?? 0;
  using held = await claim(runFolder);
  try {
    await drive(
      {
        roots: systemRoots,
        isRoot: uid === 0,
        uid,
        runFolder,
        version: ownVersion(process.arch).version,
        clock: {
          now: () => performance.now() / 1000,
          sleep: (seconds, until) =>
            sleep(Math.max(0, seconds * 1000), undefined, { signal: until }).catch(() => undefined),
        },
        notifier: openNotifier(process.env["NOTIFY_SOCKET"]),
        wallSeconds: () => Date.now() / 1000,
        bootSeconds: () => readBootSeconds("/proc"),
        keepClaim: () => held.keep(),
        load: (until) => loadSettings(config, runFolder, until),
        onStop(listener) {
          // before what turns the signal into an abort: raising a fan is less work than that
          for (const name of ["SIGTERM", "SIGINT"] as const) process.prependListener(name, listener);
        },
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
    if (whole.aborted) return;
    await raiseEverything();
    throw thrown;
  }
  if (ended.signal.aborted) throw ended.signal.reason;
}

/** @throws BerryError; fans that another process drives are not touched, all others are at full speed then */
async function claim(runFolder: string): Promise<Claim> {
  try {
    return claimFans(runFolder);
  } catch (thrown) {
    if (!(thrown instanceof BerryError && thrown.kind === "temporary")) await raiseEverything();
    throw thrown;
  }
}

/**
 * By a process of its own, which says what it finds on stderr: what judges configurations is gone when it ends, and
 * a file, unlike a pipe, needs no streams.
 */
async function loadSettings(
  config: string | undefined,
  runFolder: string,
  signal: AbortSignal,
): Promise<FandSettings> {
  const path = join(runFolder, "settings.json");
  const file = created(path);
  const isCompiled = import.meta.path.startsWith("/$bunfs/");
  const self = isCompiled ? [process.execPath] : [process.execPath, join(import.meta.dir, "../../main.ts")];
  try {
    const child = Bun.spawn([...self, "fand", "settings", ...(config === undefined ? [] : ["--", config])], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdin: "ignore",
      stdout: file,
      stderr: "inherit",
      signal,
    });
    const exitCode = await child.exited;
    signal.throwIfAborted();
    if (exitCode !== 0)
      throw new BerryError("config", "the configuration cannot be used", {
        hint: "berry fand check says why",
      });
  } finally {
    closeSync(file);
  }
  try {
    // checked boundary: berry's own words to itself
    return JSON.parse(readFileSync(path, "utf8")) as FandSettings;
  } catch (cause) {
    // a file system that is full takes the beginning
    throw new BerryError("cannot-create", `${path}: was not written whole`, {
      cause,
      hint: `df ${runFolder}, and df -i, say whether it is full`,
    });
  }
}

function created(path: string): number {
  try {
    return openSync(path, "w", 0o600);
  } catch (thrown) {
    throw refusalOfFile(path, thrown);
  }
}

async function raiseEverything(): Promise<void> {
  const shell = Bun.spawn(["/bin/sh", "-s"], {
    stdin: new TextEncoder().encode(failsafeScript),
    stdout: "ignore",
    stderr: "inherit",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  await shell.exited;
}
