import { join } from "node:path";
import type { WriteEvent } from "../../src/imager/write/write-event.ts";
import { measure, type Measurement } from "./measure.ts";
import type { BenchCard } from "./write-device.ts";

/** What one card, or several at once, took from nothing to verified. */
export interface WriteRun extends Measurement {
  readonly writeSeconds: number;
  readonly readBackSeconds: number;
  /** To each card; the mean of several. */
  readonly writtenBytes: number;
}

export interface WriteBench {
  /** The binary for this machine. */
  readonly berry: string;
  /** Sparse, with `${image}.bmap` beside it. */
  readonly image: string;
  /** For what keeps to itself: caches, homes. */
  readonly scratch: string;
  readonly emulator: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** `berry imager write`, which reads back by itself. @throws Error when it does not verify every card */
export async function writeByBerry(bench: WriteBench, cards: readonly BenchCard[]): Promise<WriteRun> {
  const verified: Extract<WriteEvent, { event: "verified" }>[] = [];
  const pairs = cards.flatMap(({ device }) => [bench.image, device]);
  const confirmed = cards.map(({ file }) => file).join(",");
  const measured = await measure(
    {
      argv: [bench.berry, "imager", "write", ...pairs, "--yes-really", confirmed, "--json"],
      cwd: bench.scratch,
      env: { HOME: bench.scratch, XDG_CACHE_HOME: join(bench.scratch, "cache") },
      onLine: (line) => {
        const event = eventOf(line);
        if (event?.event === "verified") verified.push(event);
      },
    },
    bench.emulator,
    bench.signal,
  );
  if (verified.length !== cards.length)
    throw new Error(`berry verified ${verified.length} of ${cards.length} cards`);
  return {
    ...measured,
    writeSeconds: Math.max(...verified.map(({ writeSeconds }) => writeSeconds)),
    readBackSeconds: Math.max(...verified.map(({ verifySeconds }) => verifySeconds)),
    writtenBytes: await meanWritten(cards),
  };
}

function eventOf(line: string): WriteEvent | null {
  // Checked boundary: what is no event has no such name.
  return line.startsWith('{"event":') ? (JSON.parse(line) as WriteEvent) : null;
}

/** `dd conv=fsync`, then `cmp` of the whole image. */
export async function writeByDd(bench: WriteBench, card: BenchCard): Promise<WriteRun> {
  return await inTwoSteps(
    bench,
    card,
    ["dd", `if=${bench.image}`, `of=${card.device}`, "bs=4M", "conv=fsync"],
    ["write-dd-back.sh", bench.image],
  );
}

/** `bmaptool copy`, then the SHA-256 of every range that its map has. */
export async function writeByBmaptool(bench: WriteBench, card: BenchCard): Promise<WriteRun> {
  const map = `${bench.image}.bmap`;
  return await inTwoSteps(
    bench,
    card,
    ["bmaptool", "--quiet", "copy", "--bmap", map, bench.image, card.device],
    ["write-bmaptool-back.sh", map],
  );
}

async function inTwoSteps(
  { emulator, scratch, signal }: WriteBench,
  card: BenchCard,
  write: readonly string[],
  [script, ...what]: readonly [string, ...string[]],
): Promise<WriteRun> {
  const step = async (argv: readonly string[]) => await measure({ argv, cwd: scratch }, emulator, signal);
  const writing = await step(write);
  const readingBack = await step(["sh", join(import.meta.dirname, script), ...what, card.device]);
  return {
    wallSeconds: writing.wallSeconds + readingBack.wallSeconds,
    writeSeconds: writing.wallSeconds,
    readBackSeconds: readingBack.wallSeconds,
    cpuSeconds: writing.cpuSeconds + readingBack.cpuSeconds,
    emulatedSeconds: 0,
    peakMemoryBytes: Math.max(writing.peakMemoryBytes, readingBack.peakMemoryBytes),
    writtenBytes: await meanWritten([card]),
  };
}

async function meanWritten(cards: readonly BenchCard[]): Promise<number> {
  const written = await Promise.all(cards.map(async (card) => await card.writtenBytes()));
  return written.reduce((sum, bytes) => sum + bytes, 0) / cards.length;
}
