import { readFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Counts and finds whatever is started in it, in any namespace; what is left in it is killed with it. */
export interface ControlGroup extends AsyncDisposable {
  readonly folder: string;
  /** Of all that there is and was in it. */
  readonly cpuSeconds: () => Promise<number>;
}

/**
 * A group of the version 2 hierarchy, whose cpu.stat needs no controller (Documentation/admin-guide/cgroup-v2.rst).
 * @param name of one group of this process
 */
export async function makeControlGroup(name: string): Promise<ControlGroup> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  const top = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (top === undefined) throw new Error("no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup");
  const folder = join(top, `berry-bench-${process.pid}-${name}`);
  await mkdir(folder);
  return {
    folder,
    cpuSeconds: async () => {
      const text = await readFile(join(folder, "cpu.stat"), "utf8");
      return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1e6;
    },
    async [Symbol.asyncDispose]() {
      // Nothing of a side may run on into the other one's time.
      if (existingProcesses(folder).length > 0) await writeFile(join(folder, "cgroup.kill"), "1");
      while (existingProcesses(folder).length > 0) await sleep(20);
      // who has ended and was not waited for yet keeps the group
      for (let tries = 0; tries < 500; tries += 1) {
        try {
          await rmdir(folder);
          return;
        } catch (thrown) {
          if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EBUSY")) throw thrown;
          await sleep(20);
        }
      }
    },
  };
}

/** The command, which enters the group first. */
export function inControlGroup({ folder }: ControlGroup, argv: readonly string[]): string[] {
  return ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', folder, ...argv];
}

export function existingProcesses(folder: string): string[] {
  return listed(join(folder, "cgroup.procs"));
}

export function existingThreads(folder: string): string[] {
  return listed(join(folder, "cgroup.threads"));
}

function listed(path: string): string[] {
  // A process of which only its end is left to be told is listed, and can be neither counted nor killed.
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((id) => id !== "" && id !== "0");
}
