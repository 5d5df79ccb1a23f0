import type { Emulator, NodePlan, Plan } from "../bake-plan.ts";

/** What berry has done inside the namespaces. */
export type Task = BakeTask | CleanTask | ShellTask;

export interface BakeTask {
  readonly task: "bake";
  readonly cacheDirectory: string;
  readonly plan: Plan;
}

/** Layers are owned by sub-ids, which only the namespace's root may remove. */
export interface CleanTask {
  readonly task: "clean";
  readonly cacheDirectory: string;
  /** Downloads as well. */
  readonly downloads: boolean;
}

/** A program in the tree of one node, whose changes are forgotten in the end. */
export interface ShellTask {
  readonly task: "shell";
  readonly cacheDirectory: string;
  readonly emulator: Emulator | null;
  readonly node: NodePlan;
  /** null: a login shell, whose exit code says nothing. */
  readonly command: readonly string[] | null;
}
