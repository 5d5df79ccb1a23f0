import { readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ControlGroup, existingProcesses, existingThreads } from "./control-group.ts";
import type { Cost } from "./fand-table.ts";

/** A program that runs. */
export interface Runner {
  readonly group: ControlGroup;
  readonly log: string;
  /** The fan's attribute; null: it drives none. */
  readonly pwm: string | null;
}

const lookMilliseconds = 100;

/**
 * Looks at programs for so many seconds, all at the same time. Wakeups are voluntary switches of all threads, as last
 * seen of those that end: a lower bound for who starts many short ones. Two writes within a tenth of a second count
 * as one.
 * @param onSecond called at the begin of every second
 */
export async function watchCosts(
  runners: readonly Runner[],
  seconds: number,
  onSecond: (second: number) => void,
  signal: AbortSignal,
): Promise<readonly Cost[]> {
  const watched = runners.map((runner) => ({ ...runner, switches: startCounting(runner.group), writes: 0 }));
  const before = await Promise.all(runners.map(async ({ group }) => await group.cpuSeconds()));
  const logged = runners.map(({ log }) => statSync(log).size);
  const written = runners.map(({ pwm }) => writtenAt(pwm));
  const startedAt = performance.now();
  for (let look = 0; look < (seconds * 1000) / lookMilliseconds; look += 1) {
    if ((look * lookMilliseconds) % 1000 === 0) onSecond((look * lookMilliseconds) / 1000);
    for (const [index, one] of watched.entries()) {
      one.switches.look();
      const at = writtenAt(one.pwm);
      if (at !== written[index]) one.writes += 1;
      written[index] = at;
    }
    const due = startedAt + (look + 1) * lookMilliseconds;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(Math.max(0, due - performance.now()), undefined, { signal });
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  return await Promise.all(
    watched.map(async ({ group, log, pwm, switches, writes }, index) => {
      const cpuSeconds = (await group.cpuSeconds()) - (before[index] ?? 0);
      return {
        seconds: elapsed,
        cpuSeconds,
        wakeups: switches.count(),
        logBytes: statSync(log).size - (logged[index] ?? 0),
        dutyWrites: pwm === null ? null : writes,
        ...memoryOf(group),
      };
    }),
  );
}

function writtenAt(pwm: string | null): bigint | null {
  return pwm === null ? null : statSync(pwm, { bigint: true }).mtimeNs;
}

/** Of every thread in a group: those that were there had switched before, others begin with none. */
function startCounting({ folder }: ControlGroup) {
  const threads = new Map<string, { readonly before: number; last: number }>();
  const look = (isFirst: boolean): void => {
    for (const id of existingThreads(folder)) {
      const switches = switchesOf(id);
      if (switches === null) continue;
      const known = threads.get(id);
      if (known === undefined) threads.set(id, { before: isFirst ? switches : 0, last: switches });
      else known.last = switches;
    }
  };
  look(true);
  return {
    look: () => look(false),
    count() {
      look(false);
      return [...threads.values()].reduce((sum, { before, last }) => sum + last - before, 0);
    },
  };
}

/** null: it has ended. */
function switchesOf(thread: string): number | null {
  try {
    const status = readFileSync(`/proc/${thread}/status`, "utf8");
    return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
  } catch {
    return null;
  }
}

function memoryOf({ folder }: ControlGroup) {
  const sum = { residentBytes: 0, anonymousBytes: 0, proportionalBytes: 0 };
  for (const id of existingProcesses(folder)) {
    try {
      const text = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      const bytes = (name: string) =>
        1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
      sum.residentBytes += bytes("Rss");
      sum.anonymousBytes += bytes("Anonymous");
      sum.proportionalBytes += bytes("Pss");
    } catch {
      // it ended while we looked
    }
  }
  return sum;
}
