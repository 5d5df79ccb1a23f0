import { mkdtemp, rm } from "node:fs/promises";
import { makeCardImage } from "../../test/fixtures/cards/card-image.ts";
import { mustRun } from "../../test/fixtures/run.ts";
import { compileBerry } from "./bake.ts";
import type { Figure } from "./figures.ts";
import { openBenchCard, type CardSpeed } from "./write-device.ts";
import { writeByBerry, writeByBmaptool, writeByDd, type WriteBench, type WriteRun } from "./write-sides.ts";

const mib = 1 << 20;

/** `card`, `dd`: one slow card, against bmaptool and dd; `disk`, `memory`: nothing is slow; `four`: at once, against one. */
export const writeParts = ["card", "dd", "disk", "memory", "four"] as const;
type WritePart = (typeof writeParts)[number];

export interface WriteOptions {
  /** null: what each part takes by default. */
  readonly runs: number | null;
  /** null: all of them. */
  readonly only: WritePart | null;
  /** A small image, to try the bench itself out. */
  readonly quick: boolean;
}

const slow: CardSpeed = { bytesPerSecond: 20e6 };
const wholeImage = { sizeBytes: 2048 * mib, bootFileBytes: 40 * mib, rootFileBytes: 340 * mib } as const;
const quickImage = { sizeBytes: 256 * mib, bootFileBytes: 8 * mib, rootFileBytes: 32 * mib } as const;
const cardBytes = 4096 * mib;

/** Berry's way of writing a card against those of before, read-back included: needs root, FUSE and loop devices. */
export async function benchWrite(
  { runs, only, quick }: WriteOptions,
  emulator: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  await using berry = await compileBerry(say, signal);
  const scratch = await mkdtemp("/var/tmp/berry-bench-write-");
  await using resources = new AsyncDisposableStack();
  resources.defer(async () => await rm(scratch, { recursive: true, force: true }));
  const shape = quick ? quickImage : wholeImage;
  const image = await makeCardImage(scratch, "pi", { ...shape, blockBytes: 4096 }, signal);
  await mustRun(["bmaptool", "--quiet", "create", "--output", `${image}.bmap`, image], {}, signal);
  const bench: WriteBench = { berry: berry.own, image, scratch, emulator, say, signal };
  const mapped = await mappedBytes(image, signal);
  const title = `write ${Math.round(mapped / mib)} MiB of ${size(shape.sizeBytes)}`;
  const figures: Figure[] = [];
  for (const part of writeParts) {
    if (only !== null && only !== part) continue;
    figures.push(...(await runPart(part, runs, title, mapped, bench)));
  }
  return figures;
}

async function runPart(
  part: WritePart,
  runs: number | null,
  title: string,
  mapped: number,
  bench: WriteBench,
): Promise<Figure[]> {
  const against = async (
    name: string,
    times: number,
    speed: CardSpeed,
    other: (card: Card) => Promise<WriteRun>,
  ): Promise<Figure[]> => {
    const one = async (card: Card) => await writeByBerry(bench, [card]);
    const sides = { berry: withCard(speed, one), other: withCard(speed, other) };
    return await compare(`${title}, ${name}`, times, sides, mapped, bench);
  };
  const bmaptool = async (card: Card) => await writeByBmaptool(bench, card);
  switch (part) {
    case "card":
      return await against("card of 20 MB/s, bmaptool", runs ?? 3, slow, bmaptool);
    case "dd":
      return await against(
        "card of 20 MB/s, dd",
        runs ?? 1,
        slow,
        async (card) => await writeByDd(bench, card),
      );
    case "disk":
      return await against("file on disk, bmaptool", runs ?? 5, "disk", bmaptool);
    case "memory":
      return await against("file in memory, bmaptool", runs ?? 5, "memory", bmaptool);
    case "four":
      return await compare(
        `${title}, four cards of 20 MB/s at once, one`,
        runs ?? 3,
        {
          berry: async () => await withFour(bench),
          other: withCard(slow, async (card) => await writeByBerry(bench, [card])),
        },
        mapped,
        bench,
      );
  }
}

type Card = Awaited<ReturnType<typeof openBenchCard>>;

function withCard(speed: CardSpeed, write: (card: Card) => Promise<WriteRun>): () => Promise<WriteRun> {
  return async () => {
    await using card = await openBenchCard(speed, cardBytes);
    return await write(card);
  };
}

async function withFour(bench: WriteBench): Promise<WriteRun> {
  await using cards = new AsyncDisposableStack();
  const opened: Card[] = [];
  for (let count = 0; count < 4; count += 1) opened.push(cards.use(await openBenchCard(slow, cardBytes)));
  return await writeByBerry(bench, opened);
}

interface Sides {
  readonly berry: () => Promise<WriteRun>;
  readonly other: () => Promise<WriteRun>;
}

/** Both sides in turns, so that a busy minute is not one side's alone. */
async function compare(
  title: string,
  runs: number,
  sides: Sides,
  mapped: number,
  { say }: WriteBench,
): Promise<Figure[]> {
  const berry: WriteRun[] = [];
  const other: WriteRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    const turns = [
      async () => berry.push(tell(`${title}, run ${run + 1}: berry`, await sides.berry(), mapped, say)),
      async () =>
        other.push(tell(`${title}, run ${run + 1}: the other way`, await sides.other(), mapped, say)),
    ];
    for (const turn of run % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const figure = (name: string, unit: Figure["unit"], read: (run: WriteRun) => number): Figure => ({
    bench: title,
    name,
    unit,
    berry: berry.map(read),
    other: other.map(read),
  });
  return [
    figure("wall time, read back", "s", ({ wallSeconds }) => wallSeconds),
    figure("writing", "s", ({ writeSeconds }) => writeSeconds),
    figure("reading back", "s", ({ readBackSeconds }) => readBackSeconds),
    figure("CPU time", "s", ({ cpuSeconds }) => cpuSeconds),
    figure("peak memory", "MiB", ({ peakMemoryBytes }) => peakMemoryBytes / mib),
    figure("written, of what is mapped", "%", ({ writtenBytes }) => (100 * writtenBytes) / mapped),
  ];
}

function tell(what: string, run: WriteRun, mapped: number, say: (line: string) => void): WriteRun {
  const seconds = [run.wallSeconds, run.writeSeconds, run.readBackSeconds, run.cpuSeconds];
  const [wall, write, back, cpu] = seconds.map((each) => each.toFixed(2));
  const written = ((100 * run.writtenBytes) / mapped).toFixed(2);
  const memory = Math.round(run.peakMemoryBytes / mib);
  say(
    `${what} took ${wall} s: writing ${write} s, reading back ${back} s; ${cpu} s of CPU, ${memory} MiB; ` +
      `written ${written} % of what is mapped`,
  );
  return run;
}

function size(bytes: number): string {
  return bytes < 1024 * mib ? `${bytes / mib} MiB` : `${bytes / mib / 1024} GiB`;
}

/** By the map of bmaptool, which knows the file's holes. */
async function mappedBytes(image: string, signal: AbortSignal): Promise<number> {
  const map = await mustRun(["cat", `${image}.bmap`], {}, signal);
  const blocks = /<MappedBlocksCount>\s*(\d+)\s*</.exec(map)?.[1];
  if (blocks === undefined) throw new Error(`${image}.bmap names no count of mapped blocks`);
  return Number(blocks) * 4096;
}
