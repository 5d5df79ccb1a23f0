import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandRunner } from "../../src/system/command-runner.ts";
import { mustRun, plainEnvironment } from "../../test/fixtures/run.ts";

/** Where figures come from. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly qemu: string;
  readonly bun: string;
}

/** How much else there was to do for a machine. */
export interface Load {
  /** Of the last minute: the bench before is in it, too. */
  readonly average: number;
  /** Of all cores, in the two seconds before. */
  readonly busyPercent: number;
}

/** @param emulator a qemu for arm64 */
export async function readMachine(emulator: string, signal: AbortSignal): Promise<Machine> {
  const qemu = /version ([\d.]+)/.exec(await mustRun([emulator, "--version"], {}, signal))?.[1];
  const [first] = cpus();
  return {
    processor: first?.model.trim() ?? "a processor",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    // what a distribution appends tells nothing that is compared
    kernel: /^[\d.]+\d/.exec(release())?.[0] ?? release(),
    qemu: qemu ?? "?",
    bun: Bun.version,
  };
}

/** In one line. */
export function describeMachine({ processor, cores, memoryGib, kernel, qemu, bun }: Machine): string {
  return `${cores} × ${processor}, ${memoryGib} GiB, Linux ${kernel}, qemu ${qemu}, bun ${bun}`;
}

/** Looks for two seconds. */
export async function readLoad(signal: AbortSignal): Promise<Load> {
  const before = processorTimes();
  await sleep(2000, undefined, { signal });
  const after = processorTimes();
  const busyPercent = (100 * (after.busy - before.busy)) / (after.all - before.all);
  const [average = 0] = loadavg();
  return { average: Number(average.toFixed(2)), busyPercent: Math.round(busyPercent) };
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.flatMap((each) => Object.values(each)).reduce((sum, part) => sum + part, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/** What is measured, with `-dirty` where it differs in more than its documents; `unknown` outside of a clone. */
export async function readCommit(signal: AbortSignal): Promise<string> {
  const options = { cwd: join(import.meta.dirname, "../.."), env: plainEnvironment("/root") };
  const commit = await commandRunner.run(["git", "rev-parse", "--short", "HEAD"], options, signal);
  if (commit.exitCode !== 0) return "unknown";
  // a run writes figures into documents itself
  const code = ["git", "diff-index", "--quiet", "HEAD", "--", ".", ":!docs", ":!*.md"];
  const { exitCode } = await commandRunner.run(code, options, signal);
  return `${commit.stdout.trim()}${exitCode === 0 ? "" : "-dirty"}`;
}
