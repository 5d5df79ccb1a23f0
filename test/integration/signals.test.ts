import { expect, test } from "bun:test";

const program = new URL("../fixtures/two-interrupts.fixture.ts", import.meta.url).pathname;

/** Runs a verb of the program and sends it a signal after each line that it writes. */
async function interrupt(verb: string, signals: readonly NodeJS.Signals[]) {
  const child = Bun.spawn([process.execPath, program, verb], { stdout: "pipe", stderr: "pipe" });
  const left = [...signals];
  const decoder = new TextDecoder();
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += decoder.decode(chunk, { stream: true });
    const next = left.shift();
    if (next !== undefined) child.kill(next);
  }
  await child.exited;
  const stderr = await new Response(child.stderr).text();
  return { stdout, stderr, exitCode: child.exitCode, signalCode: child.signalCode };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "after %s a verb gives back what it took and ends with 130",
  async (name) => {
    expect(await interrupt("wait", [name])).toEqual({
      stdout: "waiting\ngiven back\n",
      stderr: `error: interrupted by ${name}\n`,
      exitCode: 130,
      signalCode: null,
    });
  },
);

test("a second Ctrl-C ends a verb that hangs at once", async () => {
  expect(await interrupt("hang", ["SIGINT", "SIGINT"])).toEqual({
    stdout: "waiting\naborted\n",
    stderr: "",
    exitCode: null,
    signalCode: "SIGINT",
  });
});
