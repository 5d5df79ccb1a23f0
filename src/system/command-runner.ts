import type { CommandOptions, CommandResult, CommandRunner } from "../core/ports.ts";
import { BerryError } from "../core/errors.ts";

async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  const decoder = new TextDecoder();
  let whole = "";
  let rest = "";
  for await (const chunk of stream) {
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
    const onAbort = () => killGroup(child.pid);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const [stdout, stderr, exitCode] = await Promise.all([
        readLines(child.stdout, options.onLine),
        readLines(child.stderr, options.onLine),
        child.exited,
      ]);
      signal.throwIfAborted();
      return { exitCode, stdout, stderr };
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  },
};
