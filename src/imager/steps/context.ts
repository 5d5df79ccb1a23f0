import type { Clock, CommandRunner } from "../../core/ports.ts";
import type { BakeEvent } from "../event.ts";

/** What performing a step may use. Made by the executor for one layer or one node. */
export interface StepContext {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  readonly emit: (event: BakeEvent) => void;
  /** From 0 up to 1, for back-off. */
  readonly random: () => number;
  /** Number of the step, for its events. */
  readonly step: number;
  /** What was taken, given back in reverse order when the layer or node ends, however it ends. */
  readonly undo: AsyncDisposableStack;
  /** A folder in memory, of this run alone: secrets may pass through it. */
  readonly scratch: string;
  /** Environment of the host's programs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** For what has to be undone after `signal` was aborted. */
  readonly cleanUpSignal: AbortSignal;
}
