import { pageLines } from "./page-lines.ts";

/** What is read without a look at whether there is still time: a millisecond or two on a Pi. */
const pieceBytes = 32 * 1024;

/**
 * Reads a body by lines. Between pieces of it everything else gets its turn, the timer of a limit above all: a body that
 * comes faster than it is read would starve them.
 * @returns false where it is longer than `mostBytes`; the rest of it is not read
 * @throws what the body does, or the signal's reason
 */
export async function readLines(
  body: AsyncIterable<Uint8Array>,
  mostBytes: number,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = pageLines(onLine, mostBytes);
  let sincePause = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      if (!lines.push(piece)) return false;
      sincePause += piece.length;
      if (sincePause < pieceBytes) continue;
      sincePause = 0;
      await new Promise((resolve) => void setTimeout(resolve, 0));
      signal.throwIfAborted();
    }
  }
  lines.end();
  return true;
}
