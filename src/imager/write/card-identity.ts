import { BerryError } from "../../core/errors.ts";
import type { CommandRunner } from "../../core/ports.ts";
import { sameDisk } from "../disks/choose-disk.ts";
import { collectDisks } from "../disks/collect-disks.ts";
import { collectKeepPaths, majorMinorOf } from "../disks/collect-keep-paths.ts";
import { probeDisk } from "../disks/collect-signatures.ts";
import { type Disk, systemRoots } from "../disks/disk.ts";
import { judgeDisk } from "../disks/verdict.ts";
import type { OpenDevice } from "./open-device.ts";
import type { CardTask } from "./card-task.ts";

/**
 * Looks again, now that the disk is open and nobody else can take it: whether it is the one that was judged, and
 * whether it may still be written to.
 *
 * @throws BerryError `temporary` at the least difference; nothing was written
 */
export async function refuseOtherDisk(
  task: CardTask,
  device: OpenDevice,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<void> {
  const opened = majorMinorOf(device.deviceNumber);
  if (opened !== task.identity.majorMinor) {
    throw differs(task.device, `its number was ${task.identity.majorMinor} and is ${opened}`);
  }
  const disks = await collectDisks(systemRoots, await collectKeepPaths(task.keep), signal);
  const now = disks.find(({ identity }) => identity.majorMinor === opened);
  if (now === undefined) throw differs(task.device, "it is gone");
  const difference =
    sameDisk(task.identity, now.identity) ?? objectionTo(await probeDisk(now, runner, signal), task);
  if (difference !== null) throw differs(task.device, difference);
}

function objectionTo(disk: Disk, task: CardTask): string | null {
  const verdict = judgeDisk(disk, { minimumBytes: task.map.sizeBytes });
  switch (verdict.verdict) {
    case "writable":
      return null;
    case "confirm":
      return task.isConfirmed ? null : verdict.reason;
    case "refused":
      return verdict.reasons.map(({ reason }) => reason).join("; ");
  }
}

function differs(device: string, what: string): BerryError {
  return new BerryError(
    "temporary",
    `${device} is not what it was a moment ago: ${what}; nothing was written`,
    { hint: "berry imager devices shows what is there now" },
  );
}
