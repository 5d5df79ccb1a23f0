import { createStyle } from "./style.ts";
import type { VerbContext } from "./verb.ts";
import { keptCardLines, liveCardLines, renderCardSummary } from "./write-lines.ts";
import { advanceWrite, writeBegin, type WriteState } from "./write-state.ts";
import type { Clock } from "../core/ports.ts";
import type { WriteEvent } from "../imager/write/write-event.ts";

export interface WriteProgress extends Disposable {
  /** Draws one event. */
  handle(event: WriteEvent): void;
}

const redrawMilliseconds = 100;

/**
 * Draws the writing of cards: on a terminal a line a card, redrawn in place; in a log a line for each phase; with
 * `--json` the events themselves on stdout. The summary goes to stdout after the last event.
 */
export function createWriteProgress(
  { json, stdout, screen }: Pick<VerbContext, "json" | "stdout" | "screen">,
  clock: Clock,
): WriteProgress {
  const live = screen.output.isTerminal;
  const options = { live, style: createStyle(screen.output.color) };
  let state: WriteState = writeBegin;
  let drawnAt = -Infinity;

  return {
    handle(event) {
      if (json) {
        stdout.write(`${JSON.stringify(event)}\n`);
        return;
      }
      const before = state;
      const now = clock.now();
      state = advanceWrite(state, event, now);
      for (const line of keptCardLines(event, before, options)) screen.print(line);
      if (event.event === "finished") {
        screen.redraw([]);
        stdout.write(renderCardSummary(state, createStyle(stdout.color)));
      } else if (event.event !== "progress" || now - drawnAt >= redrawMilliseconds) {
        drawnAt = now;
        screen.redraw(liveCardLines(state, screen.output.columns));
      }
    },
    [Symbol.dispose]: () => screen.redraw([]),
  };
}
