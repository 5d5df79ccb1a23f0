import { describe, expect, test } from "bun:test";

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { messageOf } from "../../../../src/core/errors.ts";
import { startConsoleProcess } from "../../../../src/imager/boot/console-process.ts";

const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
const setpriv = Bun.which("setpriv") ?? "setpriv";
const never = new AbortController().signal;

/** A shell script in the part of the machine. */
function start(script: string, listener: Parameters<typeof startConsoleProcess>[3] = () => {}) {
  return startConsoleProcess(["sh", "-c", script], setpriv, environment, listener);
}

/** What a promise rejects with; undefined when it does not. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

async function messageOfFailure(promise: Promise<unknown>): Promise<string> {
  return messageOf(await failureOf(promise));
}

describe("a console", () => {
  test("shows a prompt before its line has ended, and takes an answer", async () => {
    await using console = start("printf 'pi1 login: '; read -r name; echo \"hello $name\"; read -r rest");
    expect(await console.waitForLine(/login: $/, never)).toBe("pi1 login: ");
    console.write("berry\n");
    expect(await console.waitForLine(/^pi1 login: hello|^hello/, never)).toContain("hello berry");
  });

  test("finds lines that came before, unless told where to start", async () => {
    await using console = start("echo one; echo two; read -r rest; echo one more; read -r rest");
    await console.waitForLine(/two/, never);
    expect(await console.waitForLine(/one/, never)).toBe("one");
    console.write("\n");
    expect(await console.waitForLine(/one/, never, console.lines.length)).toBe("one more");
  });

  test("reports finished lines once each, without carriage returns", async () => {
    const reported: string[] = [];
    await using console = start("printf 'a\\r\\nb'; read -r rest; printf 'c\\r\\n'", (lines) =>
      reported.push(...lines),
    );
    await console.waitForLine(/^b$/, never);
    expect(reported).toEqual(["a"]);
    console.write("\n");
    await console.exited;
    expect(reported).toEqual(["a", "bc"]);
  });

  test("ends a wait when the program ends, and keeps what it complained of", async () => {
    await using console = start("echo 'no such machine' >&2; exit 3");
    expect(await messageOfFailure(console.waitForLine(/login/, never))).toContain(
      "the console ended before a line matched /login/",
    );
    expect(await console.exited).toBe(3);
    expect(console.complaints()).toBe("no such machine");
  });

  test("ends a wait when its signal is aborted", async () => {
    await using console = start("echo up; read -r rest");
    await console.waitForLine(/up/, never);
    const controller = new AbortController();
    const waiting = console.waitForLine(/down/, controller.signal);
    controller.abort(new Error("enough"));
    expect(await messageOfFailure(waiting)).toContain("enough");
  });

  test("is killed when it is disposed of", async () => {
    const console = start("trap '' TERM INT HUP; echo up; read -r rest");
    await console.waitForLine(/up/, never);
    await console[Symbol.asyncDispose]();
    expect(() => process.kill(console.pid, 0)).toThrow("ESRCH");
  });

  test("dies with the process that started it, even of SIGKILL", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berry-console-"));
    const fifo = join(folder, "held-open-by-the-program");
    Bun.spawnSync(["mkfifo", fifo]);
    const untilItDies = Bun.spawn(["cat", fifo], { stdout: "ignore" });
    const parent = Bun.spawn(
      [process.execPath, join(import.meta.dir, "console-parent.fixture.ts"), setpriv, fifo],
      {
        env: environment,
        stdout: "pipe",
      },
    );
    const announced = await parent.stdout.getReader().read();
    expect(new TextDecoder().decode(announced.value)).toBe("the program runs\n");
    parent.kill("SIGKILL");
    await parent.exited;
    expect(await untilItDies.exited).toBe(0);
    await rm(folder, { recursive: true });
  });
});
