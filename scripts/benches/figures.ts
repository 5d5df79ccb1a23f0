/** One thing that was measured on both sides, once a run. Less is better. */
export interface Figure {
  /** What both sides did, such as `bake arch, 400 MB`. */
  readonly bench: string;
  /** Which of a bench's cases this is, such as `20 nodes`; absent where there is one. */
  readonly variant?: string | undefined;
  /** Such as `wall time`: unique in its case. */
  readonly name: string;
  readonly unit: Unit;
  readonly berry: readonly number[];
  readonly other: readonly number[];
}

export type Unit = "s" | "MiB" | "%";

/** @throws RangeError for no values at all */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("no values have no median");
  return (lower + upper) / 2;
}

/** The medians of both sides and how many times as much the other takes: a Markdown table, ending in a line end. */
export function figureTable(figures: readonly Figure[]): string {
  const head = ["bench", "figure", "berry", "the other way", "ratio", "runs"];
  const rows = figures.map((figure) => [
    figure.bench,
    figure.name,
    withUnit(median(figure.berry), figure.unit),
    withUnit(median(figure.other), figure.unit),
    ratio(median(figure.berry), median(figure.other)),
    String(Math.min(figure.berry.length, figure.other.length)),
  ]);
  const rule = head.map((_, column) => (column < 2 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

export function ratio(berry: number, other: number): string {
  return ratioInWords(berry, other, rounded) ?? "–";
}

/** In words, so that nobody has to know which side is on top of the fraction; null: there is no saying. */
export function ratioInWords(first: number, other: number, round: (value: number) => string): string | null {
  if (first <= 0 || other <= 0) return null;
  const times = round(Math.max(first, other) / Math.min(first, other));
  if (Number(times) === 1) return "as much";
  return other >= first ? `${times} × less` : `${times} × more`;
}

export function withUnit(value: number, unit: Unit): string {
  // what is there is not nothing
  const isSmall = unit === "MiB" && value > 0 && value < 1;
  return `${unit === "s" || isSmall ? rounded(value) : Math.round(value)} ${unit}`;
}

/** Two or three digits that mean something. */
function rounded(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
