import { dlopen } from "bun:ffi";
import type { Clock } from "../../core/ports.ts";

const everyMilliseconds = 1000;
const stdout = 1;
/** poll(2): of a pipe, nobody reads it any more. */
const pollError = 0x8;

/**
 * Waits until nobody reads standard output any more: `berry … | head -1` has what it wants long before the next change
 * is written, and fails.
 * @throws the signal's reason
 */
export async function readerGone(clock: Clock, signal: AbortSignal): Promise<void> {
  const libc = dlopen("libc.so.6", { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  // struct pollfd: the descriptor, what is asked for, what is answered; errors are told unasked
  const asked = Buffer.alloc(8);
  asked.writeInt32LE(stdout);
  try {
    do {
      await clock.sleep(everyMilliseconds, signal);
      libc.symbols.poll(asked, 1n, 0);
    } while ((asked.readInt16LE(6) & pollError) === 0);
  } finally {
    libc.close();
  }
}
