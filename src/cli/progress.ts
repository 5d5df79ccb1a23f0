import { keptLines, liveLines, renderSummary } from "./bake-lines.ts";
import { advance, bakeBegin, type BakeState } from "./bake-state.ts";
import { createStyle } from "./style.ts";
import type { VerbContext } from "./verb.ts";
import type { Clock } from "../core/ports.ts";
import type { BakeEvent } from "../imager/event.ts";

export interface Progress extends Disposable {
  /** Draws one event. */
  handle(event: BakeEvent): void;
}

const redrawMilliseconds = 100;
const tickMilliseconds = 500;

/**
 * Draws a bake: on a terminal a line a running step, redrawn in place; in a log a line for each start and end;
 * with `--json` the events themselves on stdout. The summary goes to stdout after the last event.
 *
 * A `failed` event is not drawn, in JSON neither, but for the last output of the step that failed: the command
 * line tells what the verb throws. Disposing removes the redrawn lines.
 */
export function createProgress(
  { json, verbose, stdout, screen }: Pick<VerbContext, "json" | "verbose" | "stdout" | "screen">,
  clock: Clock,
): Progress {
  const live = screen.output.isTerminal;
  const options = { verbose, live, style: createStyle(screen.output.color) };
  const over = new AbortController();
  let state: BakeState = bakeBegin;
  let drawnAt = -Infinity;

  const redraw = () => {
    drawnAt = clock.now();
    screen.redraw(liveLines(state, drawnAt, screen.output.columns));
  };
  const tick = async () => {
    while (!over.signal.aborted) {
      await clock.sleep(tickMilliseconds, over.signal);
      if (!over.signal.aborted) redraw();
    }
  };
  const end = () => {
    over.abort();
    screen.redraw([]);
  };
  // The only way out of the loop is `over`.
  if (live && !json) tick().catch(() => undefined);

  return {
    handle(event) {
      if (json) {
        if (event.event !== "failed") stdout.write(`${JSON.stringify(event)}\n`);
        return;
      }
      const before = state;
      state = advance(before, event, clock.now());
      const kept = keptLines(event, before, state, options);
      if (kept.length > 0 && live) screen.redraw(liveLines(state, clock.now(), screen.output.columns));
      for (const line of kept) screen.print(line);
      if (event.event === "baked") {
        end();
        stdout.write(renderSummary(state, createStyle(stdout.color)));
      } else if (event.event !== "progress" || clock.now() - drawnAt >= redrawMilliseconds) redraw();
    },
    [Symbol.dispose]: end,
  };
}
