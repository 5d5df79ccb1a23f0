import type { TestUnit } from "./units.ts";

/** How often a daemon dies in which way, for each of the shipped ones. */
const shipped = {
  SIGKILL: 12,
  SIGTERM: 9,
  SIGSEGV: 7,
  SIGINT: 6,
  SIGABRT: 6,
  "out of memory": 4,
  SIGSTOP: 2,
  "systemctl stop": 1,
};
const injected = { throw: 6, reject: 6, "busy loop": 1 };

/** Ways to die that only the watchdog ends. */
export const hangs: readonly string[] = ["SIGSTOP", "busy loop"];

export interface Death {
  readonly unit: string;
  readonly way: string;
  /** Percent of full speed, at the moment of death. */
  readonly before: number;
  /** From the injection until the kernel said that the fan ran at full speed. */
  readonly milliseconds: number;
  /** Whether the process that was to die did. */
  readonly isDead: boolean;
}

/** Lines for deaths.pl: units take turns. */
export function planOfDeaths(units: readonly TestUnit[]): readonly string[] {
  const lists = units.map((unit) =>
    Object.entries(unit.isInjected === true ? injected : shipped).flatMap(([way, count]) =>
      Array.from({ length: count }, () => `berry-${unit.name} ${unit.watched} ${unit.number} ${way}`),
    ),
  );
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? [])).flat();
}

/** @throws Error where a line is none of deaths.pl, or says that a daemon could not be killed */
export function readDeaths(output: string): readonly Death[] {
  return output.split("\n").map((line) => {
    const [unit, way, before, milliseconds, state] = line.split("\t");
    if (unit === undefined || way === undefined || state === undefined) throw new Error(line);
    return {
      unit,
      way,
      before: Number(before),
      milliseconds: Number(milliseconds),
      isDead: state === "dead",
    };
  });
}

/** A line a way to die: how often, the median and the longest time to full speed. */
export function tellDeaths(deaths: readonly Death[]): string {
  return Object.entries(Object.groupBy(deaths, ({ way }) => way))
    .map(([way, list = []]) => {
      const times = list.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
      const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
      return `${way}: ${times.length}, median ${median} ms, longest ${times.at(-1)} ms`;
    })
    .join("\n");
}
