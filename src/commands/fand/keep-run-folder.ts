import { existsSync } from "node:fs";
import { join } from "node:path";
import { BerryError, messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { renderNote } from "../../fand/backends/note.ts";
import type { Output } from "../../fand/backends/output.ts";
import { replaceFile } from "../../fand/daemon/run-folder-file.ts";
import type { Place } from "./drive.ts";

/**
 * Writes the metrics, and what somebody has removed beside them: the lock, and the note of the outputs that are taken.
 * Where that fails the fans are driven on; it is told of once, and once more when it is over.
 * @returns a function that throws BerryError `temporary` alone, where another process has taken the fans
 */
export function runFolderKeeper(
  outputs: readonly Output[],
  { runFolder, keepClaim }: Pick<Place, "runFolder" | "keepClaim">,
  log: Log,
): (metrics: string) => void {
  const note = join(runFolder, "outputs");
  let isFailing = false;
  return (metrics) => {
    try {
      keepClaim();
      if (!existsSync(note)) {
        replaceFile(note, renderNote(outputs));
        log.warn(`${note} was gone, and is there again`);
      }
      replaceFile(join(runFolder, "berry.prom"), metrics);
      if (isFailing) log.info(`${runFolder}: metrics are written again`);
      isFailing = false;
    } catch (thrown) {
      if (thrown instanceof BerryError && thrown.kind === "temporary") throw thrown;
      if (!isFailing)
        log.warn(
          `metrics stay as they were, and the fans are driven on: ${messageOf(thrown)}`,
          thrown instanceof BerryError ? thrown.hint : undefined,
        );
      isFailing = true;
    }
  };
}
