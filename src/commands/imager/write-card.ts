import { defineVerb } from "../../cli/verb.ts";
import { BerryError, messageOf } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";
import { readOrders } from "../../imager/write/card-orders.ts";
import { NotVerified } from "../../imager/write/card-session.ts";
import type { CardMessage } from "../../imager/write/card-task.ts";
import { writeCard as writeOne } from "../../imager/write/write-card.ts";
import { systemClock } from "../../system/clock.ts";
import { commandRunner } from "../../system/command-runner.ts";

/** The image, as `berry imager write` hands it over. */
const imageDescriptor = 3;

/** One card of `berry imager write`: a process of its own, so that a card that hangs holds nobody else up. */
export const writeCard = defineVerb({
  description: "write one card as standard input says; berry calls this itself",
  examples: ["berry imager write-card"],
  async run({ stdout, signal }) {
    const emit = (message: CardMessage): void => stdout.write(`${JSON.stringify(message)}\n`);
    const orders = await readOrders(readLines(process.stdin), (bytes) => emit({ event: "waiting", bytes }));
    if (orders === null) {
      throw new BerryError("usage", "no card came on standard input", {
        hint: "berry imager write pi1 /dev/sdX",
      });
    }
    const { task, availability, stop } = orders;
    const until = AbortSignal.any([signal, stop]);
    try {
      await writeOne(
        task,
        imageDescriptor,
        { emit, now: () => systemClock.now(), availability, runner: commandRunner },
        until,
      );
    } catch (thrown) {
      emit(failureOf(task.device, thrown, until));
    }
    process.stdin.destroy();
  },
});

function failureOf(device: string, thrown: unknown, signal: AbortSignal): CardMessage {
  const failure = { event: "failed", device, hint: null, mismatch: null } as const;
  if (thrown instanceof BerryError) {
    const mismatch = thrown instanceof NotVerified ? thrown.mismatch : null;
    const { kind, hint = null } = thrown;
    return { ...failure, kind, message: messageOf(thrown), hint, mismatch };
  }
  if (signal.aborted) return { ...failure, kind: "interrupted", message: `${device} is not finished` };
  return { ...failure, kind: "software", message: `a fault in berry: ${messageOf(thrown)}` };
}
