/** Eighths of a character's height. */
const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * Columns of blocks, one for each bucket of the values: its highest, from `lowest` to `highest` over `height` lines.
 * @returns lines, the upper one first
 */
export function plotColumns(
  values: Float32Array,
  scale: { readonly lowest: number; readonly highest: number },
  size: { readonly width: number; readonly height: number },
): readonly string[] {
  const highest = buckets(values, size.width).map(({ most }) => most);
  const span = scale.highest - scale.lowest;
  return Array.from({ length: size.height }, (_, line) => {
    const below = size.height - 1 - line;
    return highest
      .map((value) => {
        const share = span <= 0 ? 0 : Math.min(1, Math.max(0, (value - scale.lowest) / span));
        const filled = Math.round(share * size.height * 8) - below * 8;
        return eighths[Math.min(8, Math.max(0, filled))] ?? " ";
      })
      .join("");
  });
}

export interface Bucket {
  readonly least: number;
  readonly most: number;
}

/** At most `count` parts of equal length, with the lowest and the highest value of each. */
export function buckets(values: Float32Array, count: number): readonly Bucket[] {
  const parts = Math.min(count, values.length);
  return Array.from({ length: parts }, (_, index) => {
    const from = Math.floor((index * values.length) / parts);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / parts));
    let least = Infinity;
    let most = -Infinity;
    for (let at = from; at < to; at += 1) {
      const value = values[at] ?? 0;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return { least, most };
  });
}
