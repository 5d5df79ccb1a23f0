import type { CardOrder, CardTask } from "./card-task.ts";
import type { Availability } from "./image-reader.ts";

/** What the process of one card hears from the one that started it. */
export interface Orders {
  readonly task: CardTask;
  readonly availability: Availability;
  /** Aborted by the order, and by the end of standard input: whoever gave the orders is gone. */
  readonly stop: AbortSignal;
}

/**
 * Reads the task, the first line, and follows the others in the background.
 * @param onWaiting is called with what is needed when the image is not there yet
 * @returns null when standard input ended before a task came
 */
export async function readOrders(
  lines: AsyncIterator<string>,
  onWaiting: (bytes: number) => void,
): Promise<Orders | null> {
  const first = await lines.next();
  if (first.done === true) return null;
  // Checked boundary: berry itself wrote it.
  const task = JSON.parse(first.value) as CardTask;
  const stop = new AbortController();
  const image = growing(onWaiting);
  const follow = async (): Promise<void> => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const order = JSON.parse(line.value) as CardOrder;
      switch (order.order) {
        case "available":
          image.grow(order.bytes);
          break;
        case "abort":
          stop.abort();
      }
    }
    stop.abort();
  };
  follow().catch(() => stop.abort());
  return { task, availability: image, stop: stop.signal };
}

function growing(onWaiting: (bytes: number) => void): Availability & { grow(bytes: number): void } {
  let availableBytes = 0;
  let waiting: { bytes: number; resolve: () => void } | null = null;
  return {
    bytes: () => availableBytes,
    grow(bytes) {
      availableBytes = Math.max(availableBytes, bytes);
      if (waiting !== null && availableBytes >= waiting.bytes) waiting.resolve();
    },
    async atLeast(bytes, signal) {
      signal.throwIfAborted();
      if (availableBytes >= bytes) return;
      onWaiting(bytes);
      const arrival = Promise.withResolvers<void>();
      const onAbort = (): void => arrival.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      waiting = { bytes, resolve: arrival.resolve };
      try {
        await arrival.promise;
      } finally {
        waiting = null;
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}
