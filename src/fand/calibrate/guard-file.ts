import { BerryError } from "../../core/errors.ts";

/** A process that brings the fans to full speed when this one has ended, however that comes. */
export interface Guard {
  /** Rejects when it has ended before it was dismissed. */
  readonly lost: Promise<never>;
  /** This process lives: to be called at least every second. */
  beat(): void;
  /** Full speed, and its end. @returns whether every fan could be raised */
  dismiss(): Promise<boolean>;
}

/** After so many seconds without a beat, whoever should beat has been stopped, or hangs. */
const patienceSeconds = 5;

/**
 * Starts the guard and waits until it watches. A shell in a session of its own, so that neither Ctrl-C nor the end of
 * a terminal reaches it, reads from a pipe that nobody but this process holds: it ends with this process, by SIGKILL,
 * too. `timeout` (coreutils) makes it notice that this process was stopped; without it, only its end is noticed.
 * @param failsafe text of the script that raises what the note names
 * @throws BerryError `os` when there is no shell to be had
 */
export async function startGuard(failsafe: string, env: Readonly<Record<string, string>>): Promise<Guard> {
  const child = spawnShell(`${watch}\n${failsafe}`, env);
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new BerryError("os", `the guard ended with ${await child.exited}`);
  let isDismissed = false;
  const watchOver = async (): Promise<never> => {
    const exitCode = await child.exited;
    // who dismissed it does not wait for its loss
    if (isDismissed) return new Promise(() => undefined);
    throw new Error(`the guard ended with ${exitCode}`);
  };
  const lost = watchOver();
  // it may be lost before anyone has looked
  lost.catch(() => undefined);
  return {
    lost,
    beat() {
      void quietly(async () => {
        await child.stdin.write("alive\n");
        await child.stdin.flush();
      });
    },
    async dismiss() {
      isDismissed = true;
      await quietly(async () => child.stdin.end());
      return (await child.exited) === 0;
    },
  };
}

function spawnShell(script: string, env: Readonly<Record<string, string>>) {
  try {
    return Bun.spawn(["/bin/sh", "-c", script], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      detached: true,
    });
  } catch (cause) {
    throw new BerryError("os", "cannot start /bin/sh, which watches over the fan", { cause });
  }
}

/** A pipe that nobody reads any more is told of by the guard's end. */
async function quietly(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch {
    // see above
  }
}

const watch = `trap '' HUP INT TERM TSTP PIPE
echo ready
if command -v timeout >/dev/null 2>&1; then
	while timeout ${patienceSeconds} /bin/sh -c 'read -r beat'; do :; done
else
	while read -r beat; do :; done
fi`;
