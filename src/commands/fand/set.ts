import { lstatSync } from "node:fs";
import { join } from "node:path";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { areFansClaimed } from "../../fand/daemon/claim-fans-ffi.ts";
import { parseHowLong, parseWish, refusalOf, tellSet } from "../../fand/daemon/judge-wish.ts";
import { isInEffect, type Override, overrideName, turnable } from "../../fand/daemon/override.ts";
import { readBootSeconds, readOverrides, writeOverrides } from "../../fand/daemon/override-file.ts";
import type { FandStatus, FanStatus } from "../../fand/daemon/parse-metrics.ts";
import { takeSetTurn } from "../../fand/daemon/set-turn-ffi.ts";
import { percent } from "../../fand/units.ts";
import { systemClock } from "../../system/clock.ts";
import { deadDaemon, readStatus } from "./read-status.ts";
import { runFolderOf } from "./run-folder.ts";

/** Each takes as long as the daemon needs to take it up, a round or two. */
const turnMilliseconds = 50;
const tellMilliseconds = 2000;
const mostTurnMilliseconds = 60_000;

/** `berry fand set`: tells the daemon what to do for a while, by a file that root alone may write. */
export const set = defineVerb({
  description: "set a fan by hand for a while; never below its rule where it is too warm",
  examples: [
    "berry fand set 60%",
    "berry fand set 100% --for 2h --fan case",
    "berry fand set 0% --for 90s",
    "berry fand set auto",
  ],
  args: {
    duty: { type: "positional", required: true, description: "60%, or auto: the fan's rule decides again" },
    for: { type: "string", valueHint: "TIME", description: "90s, 10m or 2h, a day at most: 10m" },
    fan: { type: "string", valueHint: "NAME", description: "which fan: all of them" },
  },
  async run({ args, json, stdout, log, signal }) {
    const wish = parseWish(args.duty);
    if (wish === null)
      throw new BerryError("usage", `${args.duty}: no duty`, { hint: "use 0% to 100%, or auto" });
    if (wish.duty === null && args.for !== undefined)
      throw new BerryError("usage", "auto is for good, not --for a while", {
        hint: "berry fand set auto",
      });
    const seconds = parseHowLong(args.for ?? "10m");
    if (seconds === null)
      throw new BerryError("usage", `--for ${args.for}: no such time`, {
        hint: "use 90s, 10m or 2h, a day at most",
      });
    const uid = process.getuid?.() ?? 0;
    const runFolder = runFolderOf(process.env);
    const words = [
      args.duty,
      ...(args.for === undefined ? [] : ["--for", args.for]),
      ...(args.fan === undefined ? [] : ["--fan", args.fan]),
    ];
    mustBeAllowed(runFolder, uid, `sudo berry fand set ${words.join(" ")}`);
    // before anything else: what to set is judged by what the one before has made of it
    mustBeDriven(runFolder);
    using _turn = await turn(runFolder, log, signal);
    const status = await statusOfDaemon(runFolder);
    const fans = chosenFans(status, args.fan);
    const bootSeconds = readBootSeconds("/proc");
    if (!Number.isFinite(bootSeconds))
      throw new BerryError("os", "/proc/uptime: it does not say for how long the machine has been running");
    const duties = fans.map((fan) => ({ fan, duty: dutyOf(fan, wish.duty, status) }));
    const path = join(runFolder, overrideName);
    const before = readOverrides(path, uid).overrides.filter((one) => isInEffect(one, bootSeconds));
    const untilSeconds = bootSeconds + seconds;
    const wished = duties.flatMap(({ fan, duty }): readonly Override[] =>
      duty === null ? [] : [{ fan: fan.name, duty: percent(duty), untilSeconds }],
    );
    const others = before.filter(({ fan }) => !fans.some(({ name }) => name === fan));
    writeOverrides(path, [...others, ...wished]);
    let told: readonly FanStatus[] | null = null;
    try {
      told = await taken(runFolder, duties, seconds, status.intervalSeconds, signal);
    } finally {
      // what the daemon has not heard of does not come over it later
      if (told === null) writeOverrides(path, before);
    }
    const lines = duties.map(({ fan, duty }, index) => tellSet(told[index] ?? fan, wish, duty, seconds));
    const done = duties.map(({ fan, duty }) => ({
      name: fan.name,
      duty_percent: duty,
      seconds: duty === null ? null : seconds,
    }));
    stdout.write(json ? `${JSON.stringify({ fans: done })}\n` : lines.map((line) => `${line}\n`).join(""));
  },
});

/** The daemon believes its own user alone. */
function mustBeAllowed(runFolder: string, uid: number, command: string): void {
  if (uid === 0 || lstatSync(runFolder, { throwIfNoEntry: false })?.uid === uid) return;
  throw new BerryError("no-permission", "fans are set by root alone", { hint: command });
}

function mustBeDriven(runFolder: string): void {
  if (areFansClaimed(runFolder)) return;
  throw new BerryError("unavailable", "no daemon is running: there is nothing to set", {
    hint: "systemctl start berry-fand",
  });
}

/** @throws BerryError `temporary` where others set fans for too long */
async function turn(runFolder: string, log: Log, signal: AbortSignal): Promise<Disposable> {
  for (let waited = 0; waited < mostTurnMilliseconds; waited += turnMilliseconds) {
    const taken = takeSetTurn(runFolder);
    if (taken !== null) return taken;
    if (waited === tellMilliseconds) log.info("another berry fand set is at work: waiting for it");
    // oxlint-disable-next-line no-await-in-loop
    await systemClock.sleep(turnMilliseconds, signal);
  }
  throw new BerryError("temporary", "another berry fand set is at work", {
    hint: "it waits for the daemon: try again in a minute",
  });
}

async function statusOfDaemon(runFolder: string): Promise<FandStatus> {
  const { told } = await readStatus(runFolder, systemClock.now() / 1000);
  if (told === null)
    throw new BerryError("temporary", "the daemon has not said yet how the fans are", {
      hint: "try again in a few seconds",
    });
  if (told.health.state === "stale") throw deadDaemon(told.health);
  return told.status;
}

function chosenFans({ fans }: FandStatus, name: string | undefined): readonly FanStatus[] {
  if (fans.length === 0)
    throw new BerryError("unavailable", "the daemon drives no fan", {
      hint: "berry fand check says what its configuration comes to",
    });
  const chosen = fans.filter((fan) => name === undefined || fan.name === name);
  if (chosen.length > 0) return chosen;
  throw new BerryError("usage", `no fan ${name}`, {
    hint: `there is ${fans.map((fan) => fan.name).join(", ")}`,
  });
}

/** @throws BerryError `temporary` where it is too warm for that */
function dutyOf(fan: FanStatus, asked: number | null, { overrideLimit }: FandStatus): number | null {
  if (asked === null) return null;
  const duty = turnable(percent(asked), { minimumDuty: percent(fan.minimum) });
  const refusal = refusalOf(fan, duty, overrideLimit ?? Number.NEGATIVE_INFINITY);
  if (refusal === null) return duty;
  throw new BerryError("temporary", refusal, {
    hint: `wait until it is cooler, or set ${Math.ceil(fan.wanted)}% or more`,
  });
}

/** Resolves to the fans when the daemon says that it does so. @throws BerryError `temporary` when it does not */
async function taken(
  runFolder: string,
  duties: readonly { readonly fan: FanStatus; readonly duty: number | null }[],
  seconds: number,
  intervalSeconds: number,
  signal: AbortSignal,
): Promise<readonly FanStatus[]> {
  const patienceSeconds = 2 * intervalSeconds + 5;
  const end = performance.now() + patienceSeconds * 1000;
  while (performance.now() < end) {
    // oxlint-disable-next-line no-await-in-loop
    const { told } = await readStatus(runFolder, systemClock.now() / 1000);
    const now = duties.flatMap(({ fan, duty }) => {
      const found = told?.status.fans.find(({ name }) => name === fan.name);
      const updated = told?.status.updatedSeconds ?? 0;
      return found !== undefined && isTaken(found, duty, updated, seconds, patienceSeconds) ? [found] : [];
    });
    if (now.length === duties.length) return now;
    // oxlint-disable-next-line no-await-in-loop
    await systemClock.sleep(100, signal);
  }
  throw new BerryError("temporary", "the daemon has not taken it up: nothing is set", {
    hint: "journalctl --unit berry-fand says what it is doing",
  });
}

function isTaken(
  { override }: FanStatus,
  duty: number | null,
  updatedSeconds: number,
  seconds: number,
  patienceSeconds: number,
): boolean {
  if (duty === null || override === null) return duty === null && override === null;
  const left = override.untilSeconds - updatedSeconds;
  return (
    Math.abs(override.duty - duty) < 0.01 && left <= seconds + 2 && left >= seconds - patienceSeconds - 2
  );
}
