import { readFile, rm } from "node:fs/promises";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";
import type { BakeEvent } from "../../imager/event.ts";
import type { Task } from "../../imager/worker/task.ts";
import { runWorker } from "../../imager/worker/worker.ts";
import { systemClock } from "../../system/clock.ts";
import { commandRunner } from "../../system/command-runner.ts";

/** Berry's other half: started by berry itself, inside the namespaces. */
export const worker = defineVerb({
  description: "do a task that comes on standard input; berry calls this itself",
  examples: ["berry imager worker"],
  args: {
    task: {
      type: "string",
      valueHint: "FILE",
      description: "read the task from a file, and leave the terminal to it",
    },
  },
  async run({ args, stdout, signal }) {
    process.umask(0o022);
    const run = async (task: Task, emit: (event: BakeEvent) => void, until: AbortSignal): Promise<void> =>
      await runWorker(
        task,
        { runner: commandRunner, clock: systemClock, random: Math.random, emit, environment: process.env },
        until,
      );
    if (args.task !== undefined) return await runInteractively(args.task, run, signal);
    const lines = readLines(process.stdin);
    const { value: first } = await lines.next();
    if (first === undefined)
      throw new BerryError("usage", "no task came on standard input", { hint: "berry imager bake" });
    const stop = new AbortController();
    // the parent says "abort", or is gone: standard input ends
    const ended = lines.next().then(() => stop.abort());
    ended.catch(() => stop.abort());
    const emit = (event: BakeEvent): void => stdout.write(`${JSON.stringify(event)}\n`);
    await run(asTask(first), emit, AbortSignal.any([signal, stop.signal]));
    process.stdin.destroy();
  },
});

type Run = (task: Task, emit: (event: BakeEvent) => void, signal: AbortSignal) => Promise<void>;

/** Standard output belongs to the task's program: of the events, only a failure is told. */
async function runInteractively(file: string, run: Run, signal: AbortSignal): Promise<void> {
  const task = asTask(await readFile(file, "utf8"));
  await mapped(signal);
  await rm(file);
  const failures: BerryError[] = [];
  await run(
    task,
    (event) => {
      if (event.event === "failed")
        failures.push(
          new BerryError(event.kind, event.message, event.hint === null ? {} : { hint: event.hint }),
        );
    },
    signal,
  );
  const [failure] = failures;
  if (failure !== undefined) throw failure;
}

/** Where root started this, its ids are mapped only after the namespace was entered. */
async function mapped(signal: AbortSignal): Promise<void> {
  while ((await readFile("/proc/self/uid_map", "utf8")).trim() === "") await systemClock.sleep(2, signal);
}

/** Checked boundary: berry itself wrote it. */
function asTask(text: string): Task {
  return JSON.parse(text) as Task;
}
