import { createStyle } from "../../cli/style.ts";
import type { VerbContext } from "../../cli/verb.ts";
import type { Discovery } from "../../probe/discovery-port.ts";
import { follow } from "../../probe/follow.ts";
import type { NodeUser } from "../../probe/formats/rendered.ts";
import type { Ask } from "../../probe/look.ts";
import type { Row } from "../../probe/row.ts";
import type { Heard } from "../../probe/rows/group-sightings.ts";
import { systemClock } from "../../system/clock.ts";
import type { FindOptions } from "./find-options.ts";
import { isAnybodyFound } from "./judge-rows.ts";
import { keepsFile, writeRows } from "./present-rows.ts";
import { readerGone } from "./reader.ts";
import { render } from "./render.ts";
import { createTeller } from "./tell-changes.ts";
import { cutTo } from "./tell-values.ts";

/** A node that said goodbye, or fell silent, is listed for another day, so that somebody notices. */
const options = { everyMilliseconds: 5000, forgetMilliseconds: 24 * 60 * 60 * 1000 };
/** Many answers come at once: they are drawn, and written, together. */
const restMilliseconds = 100;
/** Before everybody has had the time to answer, all are missing, and a file that was full would be emptied. */
const firstTellMilliseconds = 2000;
const firstDrawMilliseconds = 500;

export interface RowPorts {
  readonly allOf: (heard: readonly Heard[]) => readonly Row[];
  readonly shownOf: (rows: readonly Row[]) => readonly Row[];
  readonly users: readonly NodeUser[];
}

/**
 * Shows the nodes until it is interrupted: on a terminal in place, into a file whole, else each change on a line of its
 * own. Ends when nobody reads that any more.
 * @throws the signal's reason, at last
 */
export async function watchRows(
  context: VerbContext<unknown>,
  find: FindOptions,
  ports: { readonly discovery: Discovery; readonly ask: Ask },
  { allOf, shownOf, users }: RowPorts,
): Promise<void> {
  const { stdout, screen, log, signal } = context;
  const isLive = find.file === null && stdout.isTerminal && screen.output.isTerminal && !isLines(find);
  const teller = createTeller(isLines(find), createStyle(stdout.color));
  let latest: readonly Heard[] = [];
  let news = Promise.withResolvers<void>();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  either.addEventListener("abort", () => news.resolve(), { once: true });

  let isHeard: boolean | null = null;
  const keepUpToDate = async (file: string, all: readonly Row[], rows: readonly Row[]): Promise<void> => {
    if (isHeard !== true) {
      const isTold = isHeard === false;
      isHeard = isAnybodyFound(all, find.format);
      // who goes later is known to be gone; who has not been heard of yet may come
      if (!isHeard && (isTold || keepsFile(file, log))) return;
    }
    await writeRows(file, find.format, rows, users, log);
  };
  const show = async (): Promise<void> => {
    const all = allOf(latest);
    const rows = shownOf(all);
    if (find.file !== null) await keepUpToDate(find.file, all, rows);
    else if (isLive)
      screen.redraw(fit((await render(find.format, rows, users, stdout)).text, stdout.columns));
    else for (const line of teller(rows)) stdout.write(`${line}\n`);
  };
  const showing = async (): Promise<void> => {
    await systemClock.sleep(isLive ? firstDrawMilliseconds : firstTellMilliseconds, either);
    while (!either.aborted) {
      await news.promise;
      news = Promise.withResolvers();
      if (either.aborted) return;
      await show();
      await systemClock.sleep(restMilliseconds, either);
    }
  };
  const following = follow(
    {
      ...find.request,
      // a unit that starts before the network waits for it
      onNoNetwork: ({ message, hint }) => log.warn(`${message}: waiting for one`, hint),
    },
    { ...ports, clock: systemClock },
    options,
    (heard) => {
      latest = heard;
      news.resolve();
    },
    either,
  );
  // who is missing is told though nobody answers
  news.resolve();
  try {
    const shown = Promise.all([following, showing()]);
    shown.catch(() => undefined);
    await (find.file === null ? Promise.race([shown, readerGone(systemClock, either)]) : shown);
  } finally {
    over.abort();
    if (isLive) {
      screen.redraw([]);
      stdout.write((await render(find.format, shownOf(allOf(latest)), users, stdout)).text);
    }
  }
}

function isLines({ format }: FindOptions): boolean {
  return format === "json" || format === "ndjson";
}

/** What a terminal can redraw: neither longer lines than it has columns, nor more than it has rows. */
function fit(text: string, columns: number): readonly string[] {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => cutTo(line, columns));
  // a terminal that does not know its size says 0
  const most = Math.max(4, (process.stdout.rows || 24) - 1);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`];
}
