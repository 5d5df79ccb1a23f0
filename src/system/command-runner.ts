import type { CommandOptions, CommandResult, CommandRunner } from "../core/ports.ts";
import { BerryError } from "../core/errors.ts";

/** Of a stream's own reader. */
interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

async function readLines(reader: Reader, onLine: ((line: string) => void) | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let whole = "";
  let rest = "";
  for (;;) {
    const { value: chunk, done } = await reader.read();
    if (done || chunk === undefined) break;
    const text = decoder.decode(chunk, { stream: true });
    whole += text;
    if (onLine === undefined) continue;
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (onLine !== undefined && rest !== "") onLine(rest);
  return whole;
}

function killGroup(processId: number): void {
  try {
    process.kill(-processId, "SIGKILL");
  } catch {
    // it has ended already
  }
}

/** A program that hangs in the kernel outlives SIGKILL: after so long, nobody waits for it. */
const graceMilliseconds = 5000;

/** Runs real programs, each in a session of its own, so that aborting ends all that it started. */
export const commandRunner: CommandRunner = {
  async run(argv: readonly string[], options: CommandOptions, signal: AbortSignal): Promise<CommandResult> {
    signal.throwIfAborted();
    const spawn = () =>
      Bun.spawn([...argv], {
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        env: { ...options.env },
        stdin:
          options.stdin === undefined
            ? "ignore"
            : typeof options.stdin === "string"
              ? new TextEncoder().encode(options.stdin)
              : options.stdin,
        stdout: "pipe",
        stderr: "pipe",
        detached: true,
      });
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn();
    } catch (cause) {
      throw new BerryError("unavailable", `cannot start ${argv[0]}`, { cause });
    }
    const [output, errors]: readonly [Reader, Reader] = [child.stdout.getReader(), child.stderr.getReader()];
    const stuck = Promise.withResolvers<never>();
    let grace: ReturnType<typeof setTimeout> | null = null;
    const onAbort = () => {
      killGroup(child.pid);
      grace = setTimeout(() => {
        child.unref();
        for (const reader of [output, errors]) reader.cancel().catch(() => undefined);
        stuck.reject(signal.reason);
      }, graceMilliseconds);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const ended = Promise.all([
        readLines(output, options.onLine),
        readLines(errors, options.onLine),
        child.exited,
      ]);
      const [stdout, stderr, exitCode] = await Promise.race([ended, stuck.promise]);
      signal.throwIfAborted();
      return { exitCode, stdout, stderr };
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (grace !== null) clearTimeout(grace);
    }
  },
};
