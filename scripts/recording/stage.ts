import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CompiledBerry } from "../../test/fixtures/compiled-berry.ts";
import type { OrdinaryUser } from "../../test/fixtures/ordinary-user.ts";
import { mustRun, plainEnvironment } from "../../test/fixtures/run.ts";

/** A machine called `laptop` with a user called `pi`, so that no picture tells whose machine it was made on. */
export interface Stage extends AsyncDisposable {
  /** What runs there as that user, in the folder `cluster` of the home. */
  asUser(argv: readonly string[]): string[];
  /** Runs a program there as root. */
  asRoot(argv: readonly string[], signal: AbortSignal): Promise<string>;
}

export interface StagePlan {
  /** The user's home, with a folder `cluster`. */
  readonly home: string;
  readonly user: OrdinaryUser;
  readonly berry: CompiledBerry;
  /** The words that enter the namespaces in which it is to stand. */
  readonly within?: readonly string[];
}

/** Namespaces that end with this process, however it does. @throws Error with what the system said */
export async function openStage({ home, user, berry, within = [] }: StagePlan): Promise<Stage> {
  const namespaces = ["--mount", "--uts", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  const script = join(import.meta.dirname, "stage.sh");
  const first = Bun.spawn(
    [...within, "unshare", ...namespaces, "sh", script, "sh", "-c", "echo ready; cat >/dev/null"],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: {
        ...plainEnvironment("/root"),
        STAGE_HOME: home,
        STAGE_PROGRAMS: dirname(berry.path),
        STAGE_BERRY: basename(berry.path),
      },
    },
  );
  const { value } = await first.stdout.getReader().read();
  if (value === undefined) throw new Error(`no stage: ${await new Response(first.stderr).text()}`);
  const inside = await youngest(first.pid);
  const enter = ["nsenter", "--target", String(inside), "--mount", "--uts", "--pid", "--net"];
  const environment = {
    PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/home/pi",
    USER: "pi",
    LOGNAME: "pi",
    LC_ALL: "C.UTF-8",
    TERM: "xterm-256color",
  };
  const ids = [`--reuid=${user.userId}`, `--regid=${user.groupId}`, "--init-groups", "--reset-env"];
  return {
    asUser: (argv) => [
      ...enter,
      ...["setpriv", ...ids, "--", "env", "-i", "--chdir=/home/pi/cluster"],
      ...Object.entries(environment).map(([name, text]) => `${name}=${text}`),
      ...argv,
    ],
    asRoot: async (argv, signal) => await mustRun([...enter, ...argv], {}, signal),
    async [Symbol.asyncDispose]() {
      void first.stdin.end();
      await first.exited;
    },
  };
}

/** The last of a chain of processes, each of which waits for the next. */
async function youngest(processId: number): Promise<number> {
  const text = await readFile(`/proc/${processId}/task/${processId}/children`, "utf8");
  const [child, ...others] = text
    .trim()
    .split(" ")
    .filter((word) => word !== "");
  if (others.length > 0) throw new Error(`process ${processId} has more than one child: ${text}`);
  return child === undefined ? processId : await youngest(Number(child));
}
