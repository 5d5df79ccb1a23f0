/** More than ten times a large page: 64 KiB of node_exporter itself, 250 KiB with all of systemd's units. */
const pageBytes = 4 * 1024 * 1024;
/** A line is a name, labels and a number; what is longer is nothing that is read. */
const lineCharacters = 16 * 1024;

/** The lines of a body as it comes; no more is kept of it than its last line. */
export interface PageLines {
  /** @returns false as soon as the body is longer than a page can be */
  push(chunk: Uint8Array): boolean;
  /** The last line, where no line feed ends it. */
  end(): void;
}

/** @param onLine gets each line but those that are too long to be one */
export function pageLines(onLine: (line: string) => void): PageLines {
  const decoder = new TextDecoder();
  let bytes = 0;
  let rest = "";
  const give = (line: string) => {
    if (line !== "" && line.length <= lineCharacters) onLine(line);
  };
  return {
    push(chunk) {
      bytes += chunk.length;
      if (bytes > pageBytes) return false;
      const lines = decoder.decode(chunk, { stream: true }).split("\n");
      lines[0] = rest + (lines[0] ?? "");
      rest = lines.pop() ?? "";
      for (const line of lines) give(line);
      return true;
    },
    end() {
      give(rest);
      rest = "";
    },
  };
}
