import { BerryError } from "../../core/errors.ts";

/** What happened, second by second. */
export interface Trace {
  readonly name: string;
  /** Temperatures as they were measured, or loads in watts, for the model to warm up. */
  readonly kind: "celsius" | "watts";
  readonly values: Float32Array;
}

/** A week of seconds: as much as is kept in memory. */
const mostSeconds = 7 * 86_400;

/** What is no slip of whoever wrote it down. */
const ranges = {
  celsius: { least: -40, most: 125, unit: "°C", why: "write what a sensor of a Pi may measure" },
  watts: { least: 0, most: 100, unit: "W", why: "write what a Pi takes" },
} as const;

/**
 * Reads a trace: a heading `seconds,celsius` or `seconds,watts`, then a line for each change, at rising seconds from
 * 0 on; what a line says holds until the next, the last for a second. Lines with `#` are comments.
 * @throws BerryError `bad-data` with file and line
 */
export function parseTrace(text: string, name: string): Trace {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"));
  const [heading, ...rest] = lines;
  const kind = /^seconds\s*,\s*(celsius|watts)$/i.exec(heading?.line ?? "")?.[1]?.toLowerCase();
  if (kind !== "celsius" && kind !== "watts")
    throw broken(
      name,
      heading?.number ?? 1,
      "begins with no heading",
      "write seconds,celsius or seconds,watts",
    );
  const points = rest.map(({ line, number }) => {
    const parts = /^(\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)$/.exec(line);
    if (parts === null)
      throw broken(name, number, `is no point: ${line.slice(0, 40)}`, "write two numbers: 10,48.5");
    return { second: Number(parts[1]), value: Number(parts[2]), number };
  });
  const last = points.at(-1);
  if (last === undefined || points.length < 2)
    throw broken(
      name,
      heading?.number ?? 1,
      "has less than two points",
      "a trace needs a beginning and an end",
    );
  if (last.second < 1 || last.second > mostSeconds)
    throw broken(
      name,
      last.number,
      `ends after ${last.second} s: 1 to ${mostSeconds} s are possible`,
      "a trace lasts a week at most",
    );
  const values = new Float32Array(Math.ceil(last.second) + 1);
  const { least, most, unit, why } = ranges[kind];
  for (const [index, point] of points.entries()) {
    const next = points[index + 1];
    if (point.value < least || point.value > most)
      throw broken(
        name,
        point.number,
        `says ${point.value} ${unit}: ${least} to ${most} ${unit} are possible`,
        why,
      );
    if (next !== undefined && next.second <= point.second)
      throw broken(
        name,
        next.number,
        `comes at ${next.second} s, after ${point.second} s`,
        "sort the lines by time",
      );
    values.fill(
      point.value,
      Math.ceil(index === 0 ? 0 : point.second),
      next === undefined ? values.length : Math.ceil(next.second),
    );
  }
  return { name, kind, values };
}

function broken(name: string, line: number, what: string, hint: string): BerryError {
  return new BerryError("bad-data", `${name}: line ${line}: ${what}`, { hint });
}
