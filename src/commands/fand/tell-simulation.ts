import { formatTable } from "../../cli/table.ts";
import { type Compared, savedPercent } from "../../fand/simulate/compare-rules.ts";
import { plotColumns } from "../../fand/simulate/plot.ts";
import type { Replay } from "../../fand/simulate/replay.ts";

const labelWidth = 8;

export function comparedObject({ trace, rules, berry, mended }: Compared): Readonly<Record<string, unknown>> {
  return {
    trace: trace.name,
    kind: trace.kind,
    seconds: trace.values.length,
    rules: rules.map(({ name, replay }) => ({
      name,
      changes: replay.changes,
      peak_celsius: rounded(replay.peak),
      average_duty_percent: rounded(replay.averageDuty),
      still_share: rounded(replay.stillShare),
    })),
    saved_percent: rounded(savedPercent(berry.changes, mended.changes)),
    peak_difference: rounded(berry.peak - mended.peak),
  };
}

/** A table, and a picture of temperature and duty by the first two rules. @param rate seconds of trace a second */
export function tellCompared({ trace, rules }: Compared, rate: number, columns: number): string {
  const hours = trace.values.length / 3600;
  const rows = rules.map(({ name, replay }) => [
    name,
    String(replay.changes),
    `${replay.peak.toFixed(1)} °C`,
    `${replay.averageDuty.toFixed(0)} %`,
    `${(replay.stillShare * 100).toFixed(0)} %`,
  ]);
  const of = trace.kind === "watts" ? "loads of a Pi 4, and the model's temperatures" : "temperatures";
  const shown = rules.slice(0, 2);
  const lowest = Math.min(...shown.map(({ replay }) => replay.temperatures.reduce((a, b) => Math.min(a, b))));
  const highest = Math.max(...shown.map(({ replay }) => replay.peak));
  const size = { width: Math.max(20, Math.min(columns, 120) - labelWidth), height: 4 };
  return [
    `${trace.name}: ${hours.toFixed(1)} h of ${of}, ${Math.floor(rate).toLocaleString("en")} times as fast as they passed\n`,
    formatTable(
      [
        { title: "rule" },
        { title: "changes", align: "right" },
        { title: "peak", align: "right" },
        { title: "mean duty", align: "right" },
        { title: "still", align: "right" },
      ],
      rows,
    ),
    ...shown.map(({ name, replay }) => picture(name, replay, { lowest, highest }, size)),
    "\n",
  ].join("");
}

/** Over all traces: how many changes were saved, and whether anything got warmer for it. */
export function tellSummary(all: readonly Compared[]): string {
  const sum = (of: (compared: Compared) => Replay) => all.reduce((total, one) => total + of(one).changes, 0);
  const berry = sum((one) => one.berry);
  const mended = sum((one) => one.mended);
  const warmer = all.filter((one) => one.berry.peak > one.mended.peak + 0.05).map(({ trace }) => trace.name);
  const peaks = warmer.length === 0 ? "no peak is higher" : `higher peaks in ${warmer.join(", ")}`;
  return `all: ${berry} changes instead of ${mended}, ${savedPercent(berry, mended).toFixed(0)} % fewer; ${peaks}\n`;
}

function picture(
  name: string,
  replay: Replay,
  scale: { readonly lowest: number; readonly highest: number },
  size: { readonly width: number; readonly height: number },
): string {
  const temperature = plotColumns(replay.temperatures, scale, size);
  const duty = plotColumns(replay.duties, { lowest: 0, highest: 100 }, { ...size, height: 2 });
  return [
    `${name}: temperature of ${scale.lowest.toFixed(0)} to ${scale.highest.toFixed(0)} °C, duty of 0 to 100 %\n`,
    ...labelled(["°C"], temperature),
    ...labelled(["%"], duty),
  ].join("");
}

function labelled(labels: readonly string[], lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${(labels[index] ?? "").padStart(labelWidth - 2)}  ${line.trimEnd()}\n`);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
