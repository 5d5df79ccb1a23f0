import { availableParallelism } from "node:os";

/** Nodes at the same time, at most: one waits for the disk or an emulated program while another one works. */
const mostLanes = 4;

/** Does the work for every item, some of them at the same time. The first failure ends the others, which then clean up. */
export async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      until.throwIfAborted();
      await work(item, until);
    }
  };
  const failures: unknown[] = [];
  const lanes = Math.min(items.length, mostLanes, availableParallelism());
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      await lane().catch((thrown: unknown) => {
        failures.push(thrown);
        failed.abort(thrown);
      });
    }),
  );
  if (failures.length > 0) throw failures[0];
}
