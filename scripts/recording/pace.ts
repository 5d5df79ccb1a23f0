/** What a terminal was told, and when. */
export interface Chunk {
  /** Since the beginning. */
  readonly atMilliseconds: number;
  readonly text: string;
}

export interface Pace {
  /** No wait is longer. */
  readonly longestMilliseconds: number;
  /** What takes longer than that in all is played as much faster. */
  readonly budgetMilliseconds: number;
}

/** The same chunks with shorter waits, the first at 0. */
export function shorten(
  chunks: readonly Chunk[],
  { longestMilliseconds, budgetMilliseconds }: Pace,
): Chunk[] {
  let before = chunks[0]?.atMilliseconds ?? 0;
  let at = 0;
  const capped = chunks.map(({ atMilliseconds, text }) => {
    at += Math.min(longestMilliseconds, atMilliseconds - before);
    before = atMilliseconds;
    return { atMilliseconds: at, text };
  });
  const factor = Math.min(1, budgetMilliseconds / Math.max(1, at));
  return capped.map(({ atMilliseconds, text }) => ({ atMilliseconds: atMilliseconds * factor, text }));
}

/** Makes one chunk of all that come within `frameMilliseconds` of the first of them, at the time of that one. */
export function gather(chunks: readonly Chunk[], frameMilliseconds: number): Chunk[] {
  const gathered: Chunk[] = [];
  for (const chunk of chunks) {
    const last = gathered.at(-1);
    if (last !== undefined && chunk.atMilliseconds - last.atMilliseconds < frameMilliseconds)
      gathered[gathered.length - 1] = { ...last, text: last.text + chunk.text };
    else gathered.push(chunk);
  }
  return gathered;
}

/** One after the other: each begins `pauseMilliseconds` after the last chunk of the one before. */
export function follow(parts: readonly (readonly Chunk[])[], pauseMilliseconds: number): Chunk[] {
  const all: Chunk[] = [];
  for (const part of parts) {
    const end = all.at(-1)?.atMilliseconds;
    const start = end === undefined ? 0 : end + pauseMilliseconds;
    all.push(...part.map(({ atMilliseconds, text }) => ({ atMilliseconds: start + atMilliseconds, text })));
  }
  return all;
}
