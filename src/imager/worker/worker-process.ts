import { constants } from "node:fs";
import { mkdir, open, readlink, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";
import type { BakeEvent } from "../event.ts";
import type { Task } from "./task.ts";
import { identityMap, lockConflict, namespaceArgv, outputConflict } from "./namespace.ts";

export interface WorkerPlace {
  /** What starts berry's own worker. */
  readonly workerArgv: readonly string[];
  readonly cacheDirectory: string;
  /** Where the worker makes images; null: it makes none. */
  readonly outputDirectory: string | null;
  readonly isRoot: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface WorkerRequest extends WorkerPlace {
  /** Sent to the worker's standard input, as one line of JSON. */
  readonly message: Task;
}

/** How long the worker may take to give back what it took, after an interruption. */
const graceMilliseconds = 20_000;

/**
 * Starts the worker inside the namespaces and passes its events on until it ends.
 * On abort the worker is asked to stop, and ended if it does not within 20 s.
 *
 * @throws BerryError of the worker's own, `temporary` when another bake works on the same cache,
 *   `os` when the namespaces cannot be entered or the worker dies without a word
 */
export async function runWorkerProcess(
  request: WorkerRequest,
  onEvent: (event: BakeEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = Bun.spawn(await enteringArgv(request), {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...request.environment },
    // a session of its own: Ctrl-C reaches berry alone, which then asks the worker to stop
    detached: true,
  });
  let grace: ReturnType<typeof setTimeout> | null = null;
  const send = async (line: string): Promise<void> => {
    try {
      await child.stdin.write(`${line}\n`);
      await child.stdin.flush();
    } catch {
      // it is gone, as when another bake holds the lock: its exit code tells
    }
  };
  const onAbort = (): void => {
    void send("abort");
    grace = setTimeout(() => child.kill("SIGKILL"), graceMilliseconds);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (request.isRoot) await mapIdentity(child.pid, child.exited);
    await send(JSON.stringify(request.message));
    const [failure, stderr, exitCode] = await Promise.all([
      readEvents(child.stdout, onEvent),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (failure !== null) throw failure;
    signal.throwIfAborted();
    if (exitCode !== 0) throw deathOf(exitCode, stderr, request);
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (grace !== null) clearTimeout(grace);
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}

/**
 * Starts a worker that has the terminal: it takes its task from a file, and Ctrl-C reaches its program.
 * @throws BerryError `temporary` and `os` as `runWorkerProcess`; `software` when the worker's program failed
 */
export async function runInteractiveWorker(place: WorkerPlace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const child = Bun.spawn(await enteringArgv(place), {
    stdio: ["inherit", "inherit", "inherit"],
    env: { ...place.environment },
  });
  const onAbort = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (place.isRoot) await mapIdentity(child.pid, child.exited);
    const exitCode = await child.exited;
    signal.throwIfAborted();
    if (exitCode === lockConflict) throw deathOf(exitCode, "", place);
    // the worker has said what it was
    if (exitCode !== 0) throw new BerryError("software", "the shell did not end well");
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}

async function enteringArgv(place: WorkerPlace): Promise<string[]> {
  await mkdir(place.cacheDirectory, { recursive: true, mode: 0o700 });
  const lockFile = join(place.cacheDirectory, "lock");
  await (await open(lockFile, "a", 0o600)).close();
  return namespaceArgv({
    isRoot: place.isRoot,
    lockFile,
    outputFolder: await lockableFolder(place.outputDirectory),
    argv: place.workerArgv,
  });
}

/** null: there is no such folder, and none can be made; the worker says what keeps it from its work. */
async function lockableFolder(folder: string | null): Promise<string | null> {
  if (folder === null) return null;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await (await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)).close();
    return folder;
  } catch {
    return null;
  }
}

/** Waits until the child is in a user namespace of its own, then maps every id there to itself. */
async function mapIdentity(processId: number, exited: Promise<number>): Promise<void> {
  const own = await readlink("/proc/self/ns/user");
  const over = new AbortController();
  void exited.then(() => over.abort());
  while (!over.signal.aborted) {
    const entered = await readlink(`/proc/${processId}/ns/user`).catch(() => own);
    if (entered !== own) {
      for (const map of ["uid_map", "gid_map"]) await writeFile(`/proc/${processId}/${map}`, identityMap);
      return;
    }
    await sleep(2);
  }
}

async function readEvents(
  stream: ReadableStream<Uint8Array>,
  onEvent: (event: BakeEvent) => void,
): Promise<BerryError | null> {
  let failure: BerryError | null = null;
  for await (const line of readLines(stream)) {
    // Checked boundary: berry's own worker wrote it.
    const event = JSON.parse(line) as BakeEvent;
    if (event.event === "failed")
      failure = new BerryError(event.kind, event.message, event.hint === null ? {} : { hint: event.hint });
    else onEvent(event);
  }
  return failure;
}

function deathOf(
  exitCode: number,
  stderr: string,
  { cacheDirectory, outputDirectory }: Pick<WorkerPlace, "cacheDirectory" | "outputDirectory">,
): BerryError {
  const said = stderr.trim();
  if (exitCode === lockConflict) {
    return new BerryError("temporary", `another bake is working in ${cacheDirectory}`, {
      hint: "wait until it has ended",
    });
  }
  if (exitCode === outputConflict) {
    return new BerryError("temporary", `another bake is making images in ${outputDirectory}`, {
      hint: "wait until it has ended",
    });
  }
  return new BerryError(
    "os",
    `the bake's worker ended with exit code ${exitCode}${said === "" ? "" : `: ${said}`}`,
    {
      hint: "`berry imager plan` tells what keeps this machine from baking",
    },
  );
}
