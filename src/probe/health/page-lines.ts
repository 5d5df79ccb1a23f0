/**
 * Ten times and more what a page of the collectors is that are asked for: 8 KiB with the health's, and 200 KiB with all
 * the units of a busy server.
 */
export const filteredPageBytes = 512 * 1024;
/** Of all that a node has: 60 to 130 KiB, with the units of a server 400. */
export const wholePageBytes = 2 * 1024 * 1024;
/** A line is a name, labels and a number; what is longer is nothing that is read. */
const lineCharacters = 16 * 1024;
/** What is read without a look at whether there is still time: a millisecond or two on a Pi. */
const pieceBytes = 32 * 1024;

/** The lines of a body as it comes; no more is kept of it than its last line. */
export interface PageLines {
  /** @returns false, and reads nothing of it, where the body is longer than it may be */
  push(chunk: Uint8Array): boolean;
  /** The last line, where no line feed ends it. */
  end(): void;
}

/** @param onLine gets each line but those that are too long to be one */
export function pageLines(onLine: (line: string) => void, mostBytes: number): PageLines {
  const decoder = new TextDecoder();
  let bytes = 0;
  let rest = "";
  const give = (line: string) => {
    if (line !== "" && line.length <= lineCharacters) onLine(line);
  };
  return {
    push(chunk) {
      bytes += chunk.length;
      if (bytes > mostBytes) return false;
      const lines = decoder.decode(chunk, { stream: true }).split("\n");
      lines[0] = rest + (lines[0] ?? "");
      // one character too many says that it is too long
      rest = (lines.pop() ?? "").slice(0, lineCharacters + 1);
      for (const line of lines) give(line);
      return true;
    },
    end() {
      give(rest);
      rest = "";
    },
  };
}

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
