import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BerryError, codeOf, messageOf } from "../../core/errors.ts";
import type { Clock, CommandRunner } from "../../core/ports.ts";
import type { BakeEvent } from "../event.ts";
import { hostEnvironment } from "./host-environment.ts";
import { epochEnvironment } from "../source-date-epoch.ts";
import type { Emulator } from "../bake-plan.ts";
import { registerEmulator } from "../steps/binfmt.ts";
import type { StepContext } from "../steps/context.ts";
import { startEmulationMeter } from "../steps/emulation-meter.ts";
import { executePlan } from "../steps/execute.ts";
import { hostProgram } from "../steps/run.ts";
import type { Task } from "./task.ts";
import { cleanInside } from "./worker-clean.ts";
import { shellInside } from "./worker-shell.ts";

export interface WorkerPorts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: BakeEvent) => void;
  /** The environment that the bake was started with. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Berry's other half, inside the namespaces: does the task and tells what happens.
 * A failure becomes the last event; it does not throw.
 */
export async function runWorker(task: Task, ports: WorkerPorts, signal: AbortSignal): Promise<void> {
  try {
    await doTask(task, ports, signal);
  } catch (error) {
    ports.emit(failureOf(error, signal));
  }
}

async function doTask(task: Task, ports: WorkerPorts, signal: AbortSignal): Promise<void> {
  const environment = hostEnvironment(ports.environment);
  const scratch = join(task.cacheDirectory, "scratch");
  await using undo = new AsyncDisposableStack();
  const context: StepContext = {
    ...ports,
    environment,
    scratch,
    step: 0,
    undo,
    signal,
    cleanUpSignal: new AbortController().signal,
  };
  switch (task.task) {
    case "bake": {
      await openScratch(task.plan.emulator, context);
      using meter = startEmulationMeter(interpreterOf(task.plan.emulator), () => ports.clock.now());
      const settled = { ...environment, ...epochEnvironment(task.plan.sourceDateEpoch) };
      return await executePlan(task.plan, { ...ports, environment: settled, scratch, meter }, signal);
    }
    case "clean":
      return ports.emit({ event: "cleaned", freedBytes: await cleanInside(task, context) });
    case "shell":
      await openScratch(task.emulator, context);
      return await shellInside(task, ports.environment["TERM"] ?? "dumb", context);
  }
}

/** Memory for what must not reach the disk, and the emulator. */
async function openScratch(emulator: Emulator | null, context: StepContext): Promise<void> {
  await mkdir(context.scratch, { recursive: true, mode: 0o700 });
  await hostProgram(
    ["mount", "-t", "tmpfs", "-o", "mode=700,size=75%", "tmpfs", context.scratch],
    {},
    context,
  );
  if (emulator !== null) await registerEmulator(emulator, context);
}

function interpreterOf(emulator: Emulator | null): string | null {
  switch (emulator?.kind) {
    case undefined:
      return null;
    case "own":
      return emulator.interpreter;
    case "host":
      return emulator.handler;
  }
}

function failureOf(error: unknown, signal: AbortSignal): BakeEvent {
  if (signal.aborted) return { event: "failed", kind: "interrupted", message: "interrupted", hint: null };
  if (error instanceof BerryError) {
    return { event: "failed", kind: error.kind, message: messageOf(error), hint: error.hint ?? null };
  }
  return fileSystemFailure(error);
}

function fileSystemFailure(error: unknown): BakeEvent {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return {
      event: "failed",
      kind: "cannot-create",
      message: messageOf(error),
      hint: "the disk is full: free some space, or run `berry imager clean`",
    };
  }
  return { event: "failed", kind: code === null ? "software" : "os", message: messageOf(error), hint: null };
}
