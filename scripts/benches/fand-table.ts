import { ratioInWords } from "./figures.ts";
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

/** What one part of the bench found: its columns begin with berry's. */
export interface CostTable {
  readonly part: string;
  readonly title: string;
  readonly columns: readonly Column[];
}

/** What the whole bench found. */
export interface Costs {
  /** Of the other sides. */
  readonly versions: string;
  readonly tables: readonly CostTable[];
  /** What could not be compared with; null: nothing. */
  readonly missing: string | null;
}

interface Row {
  readonly name: string;
  readonly value: (cost: Cost) => number | null;
  readonly unit: string;
}

const mebi = 1 << 20;

const rows = [
  { name: "resident memory", value: ({ residentBytes }) => residentBytes / mebi, unit: " MiB" },
  { name: "of it, its own (anonymous)", value: ({ anonymousBytes }) => anonymousBytes / mebi, unit: " MiB" },
  { name: "its share (PSS)", value: ({ proportionalBytes }) => proportionalBytes / mebi, unit: " MiB" },
  { name: "of a core", value: ({ cpuSeconds, seconds }) => (100 * cpuSeconds) / seconds, unit: " %" },
  { name: "wakeups a second", value: ({ wakeups, seconds }) => wakeups / seconds, unit: "" },
  { name: "bytes of log", value: ({ logBytes }) => logBytes, unit: "" },
  { name: "writes of a duty", value: ({ dutyWrites }) => dutyWrites, unit: "" },
] as const satisfies readonly Row[];

/** What is counted of every program. */
export type CostName = (typeof rows)[number]["name"];

/** What was counted of two programs, and how much less or more the first one takes; null: not of both of them. */
export function compareCosts(
  name: CostName,
  first: Cost,
  other: Cost,
): { readonly first: string; readonly other: string; readonly ratio: string } | null {
  const row: Row | undefined = rows.find((each) => each.name === name);
  const [left, right] = [row?.value(first) ?? null, row?.value(other) ?? null];
  if (row === undefined || left === null || right === null) return null;
  return {
    first: `${rounded(left)}${row.unit}`,
    other: `${rounded(right)}${row.unit}`,
    ratio: ratio(left, right) ?? "–",
  };
}

/** All of it: Markdown, ending in a line end. */
export function costTables({ versions, tables, missing }: Costs): string {
  const all = tables.map(({ title, columns }) => costTable(title, columns)).join("\n");
  return `${versions}\n\n${all}${missing === null ? "" : `\n${missing}\n`}`;
}

/**
 * What each program took, and how much less or more of it the first one takes: a Markdown table, ending in a line end.
 * @param title of the first column
 */
export function costTable(title: string, columns: readonly Column[]): string {
  const [first] = columns;
  const lines = rows.map(({ name, value, unit }: Row) => [
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

function ratio(first: number | null, other: number | null): string | null {
  return first === null || other === null ? null : ratioInWords(first, other, rounded);
}

/** Two or three digits that mean something; whole numbers as they are. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}
