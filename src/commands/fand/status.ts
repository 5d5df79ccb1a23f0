import { truncate } from "../../cli/bake-lines.ts";
import type { Output } from "../../cli/output.ts";
import { createScreen } from "../../cli/screen.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError, messageOf } from "../../core/errors.ts";
import { systemClock } from "../../system/clock.ts";
import { deadDaemon, noDaemon, readStatus, type SeenStatus } from "./read-status.ts";
import { runFolderOf } from "./run-folder.ts";
import { statusObject, tellStatus } from "./tell-status.ts";

const watchMilliseconds = 1000;

/** `berry fand status`: what the daemon writes for Prometheus, for people; anybody may read it. */
export const status = defineVerb({
  description: "say how warm it is, how the fans turn, and whether the daemon is at work",
  examples: ["berry fand status", "berry fand status --json", "berry fand status --watch"],
  args: { watch: { type: "boolean", description: "look every second, until Ctrl-C" } },
  async run({ args, json, stdout, signal }) {
    const look = () => readStatus(runFolderOf(process.env), systemClock.now() / 1000);
    const objectOf = ({ told }: SeenStatus) =>
      `${JSON.stringify(statusObject(told, systemClock.now() / 1000))}\n`;
    if (args.watch) {
      const draw = json
        ? async () => stdout.write(objectOf(await look()))
        : painter(stdout, () => linesOf(look));
      await everySecond(draw, signal);
      return;
    }
    const seen = await look();
    if (json) stdout.write(objectOf(seen));
    else if (seen.told !== null)
      stdout.write(
        tell(seen)
          .map((line) => `${line}\n`)
          .join(""),
      );
    const failure = failureOf(seen);
    if (failure !== null) throw failure;
  },
});

function tell({ told }: SeenStatus): readonly string[] {
  return told === null ? [] : tellStatus(told.status, told.health, systemClock.now() / 1000);
}

/** null: all is well. */
function failureOf({ path, told }: SeenStatus): BerryError | null {
  if (told === null) return noDaemon(path);
  switch (told.health.state) {
    case "healthy":
      return null;
    case "stale":
      return deadDaemon(told.health);
    case "unhealthy":
      return new BerryError("io", told.health.ailments.join(", "), {
        hint: "journalctl --unit berry-fand says since when",
      });
  }
}

/** A watch goes on whatever it sees: the daemon may be started again. */
async function linesOf(look: () => Promise<SeenStatus>): Promise<readonly string[]> {
  try {
    const seen = await look();
    const failure = failureOf(seen);
    return [...tell(seen), ...(failure === null ? [] : [`error: ${failure.message}`])];
  } catch (thrown) {
    return [`error: ${messageOf(thrown)}`];
  }
}

/** Until the signal aborts, or nobody reads any more. */
async function everySecond(draw: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const unread = new AbortController();
  const leave = () => unread.abort();
  const ended = AbortSignal.any([signal, unread.signal]);
  process.stdout.once("error", leave);
  while (!ended.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    await draw();
    // oxlint-disable-next-line no-await-in-loop
    await systemClock.sleep(watchMilliseconds, ended).catch(() => undefined);
  }
  process.stdout.off("error", leave);
}

/** Redrawn in place on a terminal, a block after the other elsewhere. */
function painter(stdout: Output, linesNow: () => Promise<readonly string[]>): () => Promise<void> {
  if (!stdout.isTerminal) return async () => stdout.write(`${(await linesNow()).join("\n")}\n\n`);
  const screen = createScreen(stdout);
  return async () => screen.redraw((await linesNow()).map((line) => truncate(line, stdout.columns - 1)));
}
