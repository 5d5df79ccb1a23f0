import { readFileSync, readdirSync, readlinkSync, realpathSync } from "node:fs";

export interface EmulationMeter {
  /** Seconds so far in which at least one emulated program was running. */
  readonly emulatedSeconds: () => number;
  /** The most memory that all processes of the namespace held at once, in bytes. */
  readonly peakMemoryBytes: () => number;
  [Symbol.dispose](): void;
}

const intervalMilliseconds = 100;
const pageBytes = 4096;

/**
 * Samples the processes of this PID namespace ten times a second. A process is emulated when
 * /proc/PID/exe is the interpreter, which is what the kernel runs for a binfmt_misc handler (proc(5)).
 */
export function startEmulationMeter(interpreter: string | null, now: () => number): EmulationMeter {
  let emulated = 0;
  let peak = 0;
  let last = now();
  const program = interpreter === null ? null : whereItLies(interpreter);
  let timer: ReturnType<typeof setTimeout> | null = null;
  const sample = (): void => {
    const elapsed = (now() - last) / 1000;
    last = now();
    const { emulating, memoryBytes } = look(program);
    if (emulating) emulated += elapsed;
    peak = Math.max(peak, memoryBytes);
    timer = setTimeout(sample, intervalMilliseconds);
  };
  timer = setTimeout(sample, intervalMilliseconds);
  return {
    emulatedSeconds: () => emulated,
    peakMemoryBytes: () => peak,
    [Symbol.dispose]: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** /proc shows no symbolic links. A handler may have been opened where it is no longer. */
function whereItLies(interpreter: string): string {
  try {
    return realpathSync(interpreter);
  } catch {
    return interpreter;
  }
}

function look(interpreter: string | null): { emulating: boolean; memoryBytes: number } {
  let emulating = false;
  let memoryBytes = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // state is the 3rd field of proc_pid_stat(5), rss the 24th
      memoryBytes += Number(fields[21]) * pageBytes;
      emulating ||=
        fields[0] === "R" && interpreter !== null && readlinkSync(`/proc/${name}/exe`) === interpreter;
    } catch {
      // it ended while we looked
    }
  }
  return { emulating, memoryBytes };
}
