import { readdirSync, readFileSync, statSync } from "node:fs";
import { commandRunner } from "../../src/system/command-runner.ts";
import { plainEnvironment } from "../../test/fixtures/run.ts";
import { existingProcesses, inControlGroup, makeControlGroup } from "./control-group.ts";
import type { Figure } from "./figures.ts";

/** What one command and everything that it started took. */
export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  /** The part of `wallSeconds` in which an emulated program was running. */
  readonly emulatedSeconds: number;
  /** The most that all resident sets added up to; what several processes share counts for each. */
  readonly peakMemoryBytes: number;
}

export interface MeasuredCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Whom it runs as; root by default. */
  readonly user?: {
    readonly userId: number;
    readonly groupId: number;
    readonly home: string;
    readonly name: string;
  };
  /** Every line that it writes. */
  readonly onLine?: (line: string) => void;
}

const intervalMilliseconds = 50;
const pageBytes = 4096;

/**
 * Runs a command in a control group of its own, which counts and finds whatever it starts, in any namespace.
 * @throws Error with the end of what it wrote, when it fails
 */
export async function measure(
  command: MeasuredCommand,
  interpreter: string,
  signal: AbortSignal,
): Promise<Measurement> {
  await using group = await makeControlGroup("side");
  // What earlier runs left to be written is not this run's to wait for.
  await commandRunner.run(["sync"], { env: plainEnvironment("/") }, signal);
  using sampler = startSampler(group.folder, interpreter);
  const startedAt = performance.now();
  const { exitCode, stdout, stderr } = await commandRunner.run(
    inControlGroup(group, as(command)),
    {
      cwd: command.cwd,
      env: plainEnvironment("/"),
      ...(command.onLine === undefined ? {} : { onLine: command.onLine }),
    },
    signal,
  );
  const wallSeconds = (performance.now() - startedAt) / 1000;
  if (exitCode !== 0) {
    const said = `${stdout}\n${stderr}`.split("\n").slice(-40).join("\n");
    throw new Error(`${command.argv.join(" ")}: exit ${exitCode}\n${said}`);
  }
  const { emulatedSeconds, peakMemoryBytes } = sampler.result();
  return { wallSeconds, cpuSeconds: await group.cpuSeconds(), emulatedSeconds, peakMemoryBytes };
}

/** The four figures that runs of two sides give. @param variant of {@link Figure} */
export function figuresOf(
  bench: string,
  berry: readonly Measurement[],
  other: readonly Measurement[],
  variant?: string,
): Figure[] {
  const figure = (name: string, unit: Figure["unit"], read: (measured: Measurement) => number): Figure => ({
    bench,
    variant,
    name,
    unit,
    berry: berry.map(read),
    other: other.map(read),
  });
  return [
    figure("wall time", "s", ({ wallSeconds }) => wallSeconds),
    figure("CPU time", "s", ({ cpuSeconds }) => cpuSeconds),
    figure("emulated", "%", ({ emulatedSeconds, wallSeconds }) => (100 * emulatedSeconds) / wallSeconds),
    figure("peak memory", "MiB", ({ peakMemoryBytes }) => peakMemoryBytes / 1024 / 1024),
  ];
}

function as({ argv, user, env }: MeasuredCommand): string[] {
  const become =
    user === undefined
      ? []
      : [
          "setpriv",
          `--reuid=${user.userId}`,
          `--regid=${user.groupId}`,
          "--init-groups",
          "--reset-env",
          "--",
        ];
  const variables = {
    ...plainEnvironment(user?.home ?? "/root"),
    ...(user === undefined ? {} : { USER: user.name, LOGNAME: user.name }),
    ...env,
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [...become, "env", "-i", ...assignments, ...argv];
}

interface Sampler extends Disposable {
  readonly result: () => Pick<Measurement, "emulatedSeconds" | "peakMemoryBytes">;
}

/** Looks at the group's processes twenty times a second: emulated is what runs the interpreter's file. */
function startSampler(folder: string, interpreter: string): Sampler {
  const wanted = statSync(interpreter);
  let emulatedMilliseconds = 0;
  let peakMemoryBytes = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    let emulated = false;
    let memoryBytes = 0;
    for (const id of existingProcesses(folder)) {
      try {
        const stat = readFileSync(`/proc/${id}/stat`, "utf8");
        // state is the 3rd field of proc_pid_stat(5), rss the 24th
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        memoryBytes += Number(fields[21]) * pageBytes;
        if (emulated || !runs(id, fields[0])) continue;
        const executable = statSync(`/proc/${id}/exe`);
        emulated = executable.ino === wanted.ino && executable.dev === wanted.dev;
      } catch {
        // it ended while we looked
      }
    }
    if (emulated) emulatedMilliseconds += now - last;
    peakMemoryBytes = Math.max(peakMemoryBytes, memoryBytes);
    last = now;
  };
  const timer = setInterval(look, intervalMilliseconds);
  return {
    result: () => ({ emulatedSeconds: emulatedMilliseconds / 1000, peakMemoryBytes }),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Whether any thread of it is on a processor or waits for one, or for the disk. */
function runs(id: string, state: string | undefined): boolean {
  if (state === "R" || state === "D") return true;
  if (state !== "S") return false;
  const threads = readdirSync(`/proc/${id}/task`);
  return (
    threads.length > 1 &&
    threads.some((thread) => /\) [RD] /.test(readFileSync(`/proc/${id}/task/${thread}/stat`, "utf8")))
  );
}
