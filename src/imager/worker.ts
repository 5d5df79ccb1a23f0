import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BerryError, messageOf } from "../core/errors.ts";
import type { Clock, CommandRunner } from "../core/ports.ts";
import type { BakeEvent } from "./event.ts";
import { hostEnvironment } from "./host-environment.ts";
import type { Plan } from "./step.ts";
import { registerEmulator } from "./steps/binfmt.ts";
import type { StepContext } from "./steps/context.ts";
import { startEmulationMeter } from "./steps/emulation-meter.ts";
import { executePlan } from "./steps/execute.ts";
import { hostProgram } from "./steps/run.ts";

export interface WorkerPorts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: BakeEvent) => void;
  /** The environment that the bake was started with. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The bake's other half, inside the namespaces: does the plan and tells what happens.
 * A failure becomes the last event; it does not throw.
 */
export async function runWorker(plan: Plan, ports: WorkerPorts, signal: AbortSignal): Promise<void> {
  try {
    await bakeInside(plan, ports, signal);
  } catch (error) {
    ports.emit(failureOf(error, signal));
  }
}

async function bakeInside(plan: Plan, ports: WorkerPorts, signal: AbortSignal): Promise<void> {
  const environment = hostEnvironment(ports.environment);
  const scratch = join(plan.cacheDirectory, "scratch");
  await using undo = new AsyncDisposableStack();
  const context: StepContext = { ...ports, environment, scratch, step: 0, undo, signal, cleanUpSignal: new AbortController().signal };
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  await hostProgram(["mount", "-t", "tmpfs", "-o", "mode=700,size=75%", "tmpfs", scratch], {}, context);
  if (plan.emulator !== null) await registerEmulator(plan.emulator, context);
  const interpreter = plan.emulator?.kind === "own" ? plan.emulator.interpreter : (plan.emulator?.handler ?? null);
  using meter = startEmulationMeter(interpreter, () => ports.clock.now());
  await executePlan(plan, { ...ports, environment, scratch, meter }, signal);
}

function failureOf(error: unknown, signal: AbortSignal): BakeEvent {
  if (signal.aborted) return { event: "failed", kind: "interrupted", message: "interrupted", hint: null };
  if (error instanceof BerryError) {
    return { event: "failed", kind: error.kind, message: messageOf(error), hint: error.hint ?? null };
  }
  return fileSystemFailure(error);
}

function fileSystemFailure(error: unknown): BakeEvent {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return { event: "failed", kind: "cannot-create", message: messageOf(error), hint: "the disk is full: free some space, or run `berry imager clean`" };
  }
  return { event: "failed", kind: code === null ? "software" : "os", message: messageOf(error), hint: null };
}
