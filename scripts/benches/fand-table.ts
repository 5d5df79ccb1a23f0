/** What a program took while it was looked at. */
export interface Cost {
  readonly seconds: number;
  readonly residentBytes: number;
  readonly anonymousBytes: number;
  /** Pages that others map, too, are counted in part. */
  readonly proportionalBytes: number;
  readonly cpuSeconds: number;
  readonly wakeups: number;
  readonly logBytes: number;
  /** null: it drives no fan. */
  readonly dutyWrites: number | null;
}

export interface Column {
  readonly name: string;
  readonly cost: Cost;
}

interface Row {
  readonly name: string;
  readonly value: (cost: Cost) => number | null;
  readonly unit: string;
}

const mebi = 1 << 20;

const rows: readonly Row[] = [
  { name: "resident memory", value: ({ residentBytes }) => residentBytes / mebi, unit: " MiB" },
  { name: "of it, its own (anonymous)", value: ({ anonymousBytes }) => anonymousBytes / mebi, unit: " MiB" },
  { name: "its share (PSS)", value: ({ proportionalBytes }) => proportionalBytes / mebi, unit: " MiB" },
  { name: "of a core", value: ({ cpuSeconds, seconds }) => (100 * cpuSeconds) / seconds, unit: " %" },
  { name: "wakeups a second", value: ({ wakeups, seconds }) => wakeups / seconds, unit: "" },
  { name: "bytes of log", value: ({ logBytes }) => logBytes, unit: "" },
  { name: "writes of a duty", value: ({ dutyWrites }) => dutyWrites, unit: "" },
];

/**
 * What each program took, and how much less or more of it the first one takes: a Markdown table, ending in a line end.
 * @param title of the first column
 */
export function costTable(title: string, columns: readonly Column[]): string {
  const [first] = columns;
  const lines = rows.map(({ name, value, unit }) => [
    name,
    ...columns.map(({ cost }, index) => {
      const own = value(cost);
      const compared = index === 0 || first === undefined ? null : ratio(value(first.cost), own);
      return `${own === null ? "–" : `${rounded(own)}${unit}`}${compared === null ? "" : ` (${first?.name} ${compared})`}`;
    }),
  ]);
  const head = [title, ...columns.map(({ name }) => name)];
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** In words, so that nobody has to know which side is on top of the fraction; null: there is no saying. */
function ratio(first: number | null, other: number | null): string | null {
  if (first === null || other === null || first <= 0 || other <= 0) return null;
  const isLess = other >= first;
  const times = rounded(isLess ? other / first : first / other);
  if (Number(times) === 1) return "as much";
  return `${times} × ${isLess ? "less" : "more"}`;
}

/** Two or three digits that mean something; whole numbers as they are. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}
