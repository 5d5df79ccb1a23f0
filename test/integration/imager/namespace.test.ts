import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { namespaceArgv } from "../../../src/imager/worker/namespace.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/berry-test-");
  await mkdir(join(folder, "card"));
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Conversation extends AsyncDisposable {
  readonly pid: number;
  say(): void;
  hear(): Promise<string>;
}

/** A process that says a line, waits for one, and so on. */
function converse(argv: readonly string[]): Conversation {
  const child = Bun.spawn([...argv], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    pid: child.pid,
    say: () => {
      void child.stdin.write("\n");
      void child.stdin.flush();
    },
    hear: async () => (await reader.read()).value?.trim() ?? "",
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

test("a card that the host unmounts during a bake is not held back by it", async () => {
  const card = join(folder, "card");
  await using host = converse([
    ...["unshare", "--mount", "sh", "-euc"],
    // as systemd has it
    'mount --make-rshared /; mount -t tmpfs card "$0"; echo mounted; read -r _; umount "$0"; echo unmounted; read -r _',
    card,
  ]);
  expect(await host.hear()).toBe("mounted");
  const bake = namespaceArgv({
    isRoot: true,
    lockFile: folder,
    outputFolder: null,
    argv: ["sh", "-c", 'while grep -c " $0 " /proc/self/mountinfo; do read -r _ || exit; done', card],
  });
  await using worker = converse(["nsenter", "--target", String(host.pid), "--mount", "--", ...bake]);
  expect(await worker.hear()).toBe("1");
  host.say();
  expect(await host.hear()).toBe("unmounted");
  worker.say();
  expect(await worker.hear()).toBe("0");
});
