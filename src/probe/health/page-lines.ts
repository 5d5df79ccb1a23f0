/**
 * Ten times and more what a page of the collectors is that are asked for: 8 KiB with the health's, and 200 KiB with all
 * the units of a busy server.
 */
export const filteredPageBytes = 512 * 1024;
/** Of all that a node has: 60 to 130 KiB, with the units of a server 400. */
export const wholePageBytes = 2 * 1024 * 1024;
/** A line is a name, labels and a number; what is longer is nothing that is read. */
const lineCharacters = 16 * 1024;

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
