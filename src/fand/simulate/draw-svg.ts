import { buckets } from "./plot.ts";
import type { Replay } from "./replay.ts";

/** What a rule made of a trace, under the name that the legend shows. */
export interface Drawn {
  readonly name: string;
  readonly replay: Replay;
}

const width = 960;
const panel = { height: 220, left: 56, top: 40, gap: 48 } as const;
const colors = ["#c51a4a", "#6b7280", "#2563eb"] as const;
const columns = 600;

/** Temperatures above, duties below, a colour for each rule: a picture that stands alone. */
export function drawSvg(title: string, drawn: readonly Drawn[]): string {
  const seconds = drawn[0]?.replay.duties.length ?? 0;
  const temperatures = drawn.map(({ replay }) => replay.temperatures);
  const all = temperatures.flatMap((values) => buckets(values, columns));
  const lowest = Math.floor(Math.min(...all.map(({ least }) => least)) / 5) * 5;
  const highest = Math.ceil(Math.max(...all.map(({ most }) => most)) / 5) * 5;
  const below = panel.top + panel.height + panel.gap;
  const height = below + panel.height + 40;
  const legend = drawn.map(
    ({ name, replay }, index) =>
      `<text x="${panel.left + index * 290}" y="32" fill="${colorOf(index)}">${escape(name)}: ${replay.changes} changes, ${replay.peak.toFixed(1)} °C at most</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${panel.left}" y="16" font-weight="bold">${escape(title)}</text>`,
    ...legend,
    ...axes(panel.top, lowest, highest, "°C", seconds),
    ...temperatures.map((values, index) => line(values, index, panel.top, lowest, highest)),
    ...axes(below, 0, 100, "%", seconds),
    ...drawn.map(({ replay }, index) => line(replay.duties, index, below, 0, 100)),
    "</svg>",
    "",
  ].join("\n");
}

function axes(
  top: number,
  lowest: number,
  highest: number,
  unit: string,
  seconds: number,
): readonly string[] {
  const marks = [0, 0.25, 0.5, 0.75, 1];
  const right = width - 16;
  return [
    ...marks.map((share) => {
      const y = top + panel.height * (1 - share);
      const value = lowest + share * (highest - lowest);
      return `<path d="M${panel.left} ${y}H${right}" stroke="#e5e7eb"/><text x="${panel.left - 6}" y="${y + 4}" text-anchor="end">${trim(value)} ${unit}</text>`;
    }),
    ...marks.map((share) => {
      const x = panel.left + share * (right - panel.left);
      const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
      return `<text x="${x}" y="${top + panel.height + 16}" text-anchor="${anchor}">${trim((share * seconds) / 3600)} h</text>`;
    }),
  ];
}

/** Up and down in each column, so that no peak is lost. */
function line(values: Float32Array, index: number, top: number, lowest: number, highest: number): string {
  const parts = buckets(values, columns);
  const span = Math.max(1, highest - lowest);
  const step = (width - 16 - panel.left) / Math.max(1, parts.length);
  const y = (value: number) => (top + panel.height * (1 - (value - lowest) / span)).toFixed(1);
  const points = parts.flatMap(({ least, most }, column) => {
    const x = (panel.left + column * step).toFixed(1);
    return least === most ? [`${x},${y(most)}`] : [`${x},${y(least)}`, `${x},${y(most)}`];
  });
  return `<polyline fill="none" stroke="${colorOf(index)}" stroke-width="1.2" points="${points.join(" ")}"/>`;
}

function colorOf(index: number): string {
  return colors[index % colors.length] ?? colors[0];
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
