import { readFile } from "node:fs/promises";
import { BerryError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";

export interface PackPlace {
  /** For errors. */
  readonly node: string;
  readonly output: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const pollMilliseconds = 250;

/** Both write the size of what they packed where a reader finds it first. */
export function packer(
  format: "xz" | "zst",
  level: number,
  sizeBytes: number,
): readonly [string, ...string[]] {
  switch (format) {
    case "xz":
      // as many threads as there are processors, but not all the memory there is
      return ["xz", "--threads=0", "--memlimit-compress=50%", `-${level}`, "--stdout"];
    case "zst":
      return ["zstd", "--threads=0", `-${level}`, `--stream-size=${sizeBytes}`, "--quiet", "--stdout"];
  }
}

/** The program reads the image itself: its position in the open file is ours as well, and tells how far it is. */
export async function pack(
  [name, ...argv]: readonly [string, ...string[]],
  files: { readonly source: number; readonly target: number },
  { node, output, environment }: PackPlace,
  tell: (doneBytes: number) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const search = environment["PATH"] ?? "";
  const program = Bun.which(name, { PATH: search });
  if (program === null) {
    throw new BerryError("unavailable", `${name} is not installed, which packs images`, {
      hint: name === "xz" ? "install xz-utils (Debian) or xz (Arch, Fedora)" : "install the package zstd",
    });
  }
  // it reads a file, not a pipe that would break: without setpriv it would go on when berry is killed
  const setpriv = Bun.which("setpriv", { PATH: search });
  const bound = setpriv === null ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
  const child = Bun.spawn([...bound, program, ...argv], {
    env: { PATH: search, LC_ALL: "C" },
    stdin: files.source,
    stdout: files.target,
    stderr: "pipe",
    detached: true,
  });
  const end = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      tell(await positionOf(files.source));
      await clock.sleep(pollMilliseconds, over.signal).catch(() => {});
    }
  };
  try {
    const [complaint, exitCode] = await Promise.all([
      new Response(child.stderr).text(),
      child.exited.finally(() => over.abort()),
      watch(),
    ]);
    signal.throwIfAborted();
    if (exitCode === 0) return;
    const why = complaint.trim().split("\n").at(-1) || `it ended with ${child.signalCode ?? exitCode}`;
    const isFull = complaint.includes("No space left on device") || complaint.includes("quota exceeded");
    throw new BerryError(
      isFull ? "cannot-create" : "io",
      `cannot export ${node}: ${name} failed: ${why}`,
      isFull ? { hint: `free some space in ${output}, or name another folder with --output` } : {},
    );
  } finally {
    signal.removeEventListener("abort", end);
    end();
    await child.exited;
  }
}

async function positionOf(fileDescriptor: number): Promise<number> {
  const text = await readFile(`/proc/self/fdinfo/${fileDescriptor}`, "utf8").catch(() => "");
  return Number(/^pos:\s*(\d+)/m.exec(text)?.[1] ?? 0);
}
