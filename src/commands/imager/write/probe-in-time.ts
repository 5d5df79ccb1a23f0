import type { VerbContext } from "../../../cli/verb.ts";
import { probeDisk } from "../../../imager/disks/collect-signatures.ts";
import type { Disk } from "../../../imager/disks/disk.ts";
import { commandRunner } from "../../../system/command-runner.ts";

const patienceMilliseconds = 10_000;

/** As far as the disk answers soon: what it is asked again once it is open, and then it is given up alone. */
export async function probeInTime(disk: Disk, log: VerbContext["log"], signal: AbortSignal): Promise<Disk> {
  const patience = AbortSignal.timeout(patienceMilliseconds);
  try {
    return await probeDisk(disk, commandRunner, AbortSignal.any([signal, patience]));
  } catch (thrown) {
    signal.throwIfAborted();
    if (!patience.aborted) throw thrown;
    log.warn(
      `${disk.path} has not answered for ${patienceMilliseconds / 1000} s: what is on it is not known`,
    );
    return disk;
  }
}
