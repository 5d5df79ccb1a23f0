/** One sample of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** NaN and the infinities are values, too. */
  readonly value: number;
}

const head = /^[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*/y;
const labelHead = /[ \t,]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"/y;
const labelEnd = /[ \t,]*\}/y;
const numeral =
  /^[ \t]*([+-]?(?:Inf|inf|NaN|nan|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?:[ \t]+-?\d+(?:\.\d+)?)?[ \t\r]*(?:#.*)?$/;

/**
 * A line of Prometheus' text format, version 0.0.4 (and of OpenMetrics, whose exemplars are passed over).
 * @returns null for comments, empty lines and whatever is no sample
 */
export function parseSample(line: string): Sample | null {
  head.lastIndex = 0;
  const name = head.exec(line)?.[1];
  if (name === undefined) return null;
  const labels = new Map<string, string>();
  let at = head.lastIndex;
  if (line[at] === "{") {
    const end = readLabels(line, at + 1, labels);
    if (end === null) return null;
    at = end;
  } else if (!/[ \t]/.test(line[at - 1] ?? "")) return null;
  const text = numeral.exec(line.slice(at))?.[1];
  return text === undefined ? null : { name, labels, value: toNumber(text) };
}

/** @returns where the closing brace ends; null: malformed */
function readLabels(line: string, start: number, labels: Map<string, string>): number | null {
  let at = start;
  for (;;) {
    labelEnd.lastIndex = at;
    if (labelEnd.test(line)) return labelEnd.lastIndex;
    labelHead.lastIndex = at;
    const label = labelHead.exec(line)?.[1];
    if (label === undefined) return null;
    let value = "";
    for (at = labelHead.lastIndex; line[at] !== '"'; at += 1) {
      if (at >= line.length) return null;
      const isEscaped = line[at] === "\\";
      if (isEscaped) at += 1;
      const character = line[at] ?? "";
      value += isEscaped && character === "n" ? "\n" : character;
    }
    at += 1;
    labels.set(label, value);
  }
}

function toNumber(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const bare = text.replace(/^[+-]/, "").toLowerCase();
  if (bare === "nan") return Number.NaN;
  return sign * (bare === "inf" ? Infinity : Number(bare));
}
