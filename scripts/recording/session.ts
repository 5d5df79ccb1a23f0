import { type Chunk, follow, gather, type Pace, shorten } from "./pace.ts";
import type { ScreenSize } from "./screen.ts";

/** What is typed, and run as it is by sh. */
export interface Command {
  readonly typed: string;
  /** The one that it has to end with: else there is nothing to show. */
  readonly exitCode: number;
  readonly pace: Pace;
}

const prompt = "\u001B[32m$\u001B[39m ";
const cursor = "\u001B[7m \u001B[27m\b";
const keyMilliseconds = 45;
const thinkMilliseconds = 500;
const readMilliseconds = 2500;
const frameMilliseconds = 125;

/**
 * What a terminal of that size is told while the commands are typed and run there, one after the other.
 * @param argv what runs a shell's words
 * @throws Error when a command ends with another exit code, with all that it wrote
 */
export async function recordSession(
  commands: readonly Command[],
  argv: (words: readonly string[]) => string[],
  size: ScreenSize,
  signal: AbortSignal,
): Promise<Chunk[]> {
  const parts: Chunk[][] = [];
  for (const command of commands) {
    const output = await runOnTerminal(argv(["sh", "-c", command.typed]), command, size, signal);
    parts.push(follow([typing(command.typed), shorten(output, command.pace)], 60));
  }
  parts.push([{ atMilliseconds: 0, text: `${prompt}${cursor}` }]);
  return gather(follow(parts, readMilliseconds), frameMilliseconds);
}

/** Keys come two at a time: nobody sees the difference, and the picture is smaller. */
function typing(text: string): Chunk[] {
  const keys = text.match(/.{1,2}/gsu) ?? [];
  const chunks = keys.map((pair, index) => ({
    atMilliseconds: thinkMilliseconds + 2 * keyMilliseconds * index,
    text: `${pair}${cursor}`,
  }));
  const end = chunks.at(-1)?.atMilliseconds ?? 0;
  return [
    { atMilliseconds: 0, text: `${prompt}${cursor}` },
    ...chunks,
    { atMilliseconds: end + thinkMilliseconds, text: "\u001B[K\r\n" },
  ];
}

async function runOnTerminal(
  argv: readonly string[],
  { typed, exitCode }: Command,
  { columns, rows }: ScreenSize,
  signal: AbortSignal,
): Promise<Chunk[]> {
  signal.throwIfAborted();
  const start = performance.now();
  const chunks: Chunk[] = [];
  const decoder = new TextDecoder();
  const ended = Promise.withResolvers<void>();
  const child = Bun.spawn([...argv], {
    signal,
    terminal: {
      cols: columns,
      rows,
      data(_, bytes) {
        chunks.push({
          atMilliseconds: performance.now() - start,
          text: decoder.decode(bytes, { stream: true }),
        });
      },
      exit: () => ended.resolve(),
    },
  });
  const got = await child.exited;
  await Promise.race([ended.promise, Bun.sleep(1000)]);
  child.terminal?.close();
  signal.throwIfAborted();
  if (got !== exitCode)
    throw new Error(
      `${typed}: exit ${got} instead of ${exitCode}\n${chunks.map(({ text }) => text).join("")}`,
    );
  return chunks;
}
