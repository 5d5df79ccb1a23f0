import type { Style } from "../../cli/style.ts";
import { type Column, formatTable } from "../../cli/table.ts";
import { printable } from "../../core/printable.ts";
import type { Row } from "../../probe/row.ts";
import { hotCelsius, shownCelsius, warmCelsius } from "../../probe/health/limits.ts";
import { measuresOf } from "../../probe/rows/measures.ts";
import { shortModel } from "../../probe/rows/short-model.ts";
import { cutTo, formatUptime, tellFan, tellPercent, tellThrottled } from "./tell-values.ts";

export interface TableOptions {
  /** All that is known, however long the lines. */
  readonly isWide: boolean;
  /** Of the terminal; null: lines may be of any length. */
  readonly columns: number | null;
  readonly style: Style;
}

interface RowColumn extends Column {
  /** What is left out first when there is no room has the highest number; 0: never. */
  readonly sacrifice: number;
  readonly isWideOnly?: boolean;
  cell(row: Row, style: Style): string;
}

const shownCharacters = 24;

const columns: readonly RowColumn[] = [
  { title: "name", sacrifice: 0, cell: ({ name }) => printable(name) },
  { title: "state", sacrifice: 0, cell: tellState },
  {
    title: "model",
    sacrifice: 10,
    cell: ({ model, health }) =>
      model === null ? "-" : printable(shortModel(model, health?.memory?.total ?? null)),
  },
  { title: "address", sacrifice: 2, cell: ({ addresses }) => printable(addresses[0]?.address ?? "-") },
  { title: "temp", align: "right", sacrifice: 1, cell: tellTemperature },
  { title: "fan", align: "right", sacrifice: 3, cell: tellFan },
  {
    title: "load",
    align: "right",
    sacrifice: 5,
    cell: (row) => measuresOf(row).load?.toFixed(2) ?? "-",
  },
  {
    title: "memory",
    align: "right",
    sacrifice: 6,
    cell: (row, style) => tellPercent(row, "memory", style),
  },
  { title: "disk", align: "right", sacrifice: 7, cell: (row, style) => tellPercent(row, "disk", style) },
  { title: "throttled", sacrifice: 4, cell: tellThrottled },
  { title: "uptime", align: "right", sacrifice: 8, cell: (row) => formatUptime(measuresOf(row).uptime) },
  { title: "role", sacrifice: 9, cell: ({ role }) => printable(role ?? "-") },
  { title: "version", sacrifice: 11, cell: ({ version }) => printable(version ?? "-") },
  { title: "serial", sacrifice: 12, isWideOnly: true, cell: ({ serial }) => printable(serial ?? "-") },
  {
    title: "all addresses",
    sacrifice: 13,
    isWideOnly: true,
    cell: ({ addresses }) => printable(addresses.map(({ address }) => address).join(" ")),
  },
];

/**
 * A line a node. Where a terminal is too narrow, columns are left out: version, model, role, uptime, disk, memory, load,
 * throttled, fan, address, temperature, in this order.
 */
export function tellTable(rows: readonly Row[], { isWide, columns: width, style }: TableOptions): string {
  let shown = columns.filter(({ isWideOnly }) => isWide || isWideOnly !== true);
  for (;;) {
    const table = formatTable(
      shown,
      rows.map((row) => shown.map((column) => cellOf(column, row, isWide, style))),
    );
    const widest = Math.max(...table.split("\n").map((line) => Bun.stringWidth(line)));
    const next = Math.max(...shown.map(({ sacrifice }) => sacrifice));
    if (isWide || width === null || widest <= width || next === 0) return table;
    shown = shown.filter(({ sacrifice }) => sacrifice !== next);
  }
}

function cellOf(column: RowColumn, row: Row, isWide: boolean, style: Style): string {
  const cell = column.cell(row, style);
  return isWide ? cell : cutTo(cell, shownCharacters);
}

/** What is wrong, a line each: who is dead and why, what ails the living, what cannot be true. */
export function tellTroubles(rows: readonly Row[], style: Style): readonly string[] {
  return rows.flatMap((row) => {
    const name = printable(row.name);
    const line = (mark: string, what: string) => `${mark} ${name}: ${printable(what)}`;
    return [
      ...(row.state === "missing"
        ? [line(style.red("missing"), "berry.toml has it, nobody heard of it")]
        : []),
      ...(row.state === "dead" && row.answer !== null && row.answer.answer !== "page"
        ? [line(style.red("dead"), row.answer.why)]
        : []),
      ...row.ailments.map(({ severity, what }) =>
        line(severity === "critical" ? style.red(severity) : style.yellow(severity), what),
      ),
      ...row.warnings.map((what) => line(style.yellow("warning"), what)),
    ];
  });
}

function tellState({ state, ailments }: Row, style: Style): string {
  switch (state) {
    case "alive":
      return ailments.some(({ severity }) => severity === "critical") ? style.red(state) : style.green(state);
    case "unknown":
      return style.yellow(state);
    case "dead":
    case "missing":
      return style.red(state);
  }
}

function tellTemperature({ health }: Row, style: Style): string {
  const celsius = health?.temperature ?? null;
  if (celsius === null) return "-";
  const shown = shownCelsius(celsius);
  const text = `${shown.toFixed(1)} °C`;
  return shown >= hotCelsius ? style.red(text) : shown >= warmCelsius ? style.yellow(text) : text;
}
