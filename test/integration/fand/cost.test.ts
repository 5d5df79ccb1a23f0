import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compiledBerry } from "../../fixtures/compiled-berry.ts";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";
import { onBoard, unitEnvironment } from "../../fixtures/fand-place.ts";

const isRoot = process.getuid?.() === 0;
const rounds = 100;

interface Look {
  /** Times that any thread has gone to sleep. */
  readonly sleeps: number;
  readonly writes: number;
  readonly anonymousBytes: number;
  readonly log: string;
  readonly dutyWrittenAt: bigint;
}

/** The compiled daemon, as its unit starts it, when it has run for a while and `rounds` rounds later. */
async function lookTwice(board: FakeBoard): Promise<readonly [Look, Look]> {
  const pwm = join(await addCoolingFan(board), "pwm1");
  const config = join(board.folder, "fand.toml");
  await writeFile(config, 'interval = "200ms"\n');
  const socket = join(board.folder, "notify");
  const listener = Bun.spawn(
    [process.execPath, resolve(import.meta.dir, "../../fixtures/notified.fixture.ts"), socket],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const hears = linesOf(listener.stdout);
  await hears("ready", 1);
  const log = join(board.folder, "log");
  const output = openSync(log, "w");
  const { path } = await compiledBerry(AbortSignal.timeout(120_000));
  const daemon = Bun.spawn(onBoard(board.folder, [path, "fand", "run", "--config", config]), {
    env: { PATH: process.env["PATH"] ?? "", NOTIFY_SOCKET: socket, ...(await unitEnvironment()) },
    stdin: "ignore",
    stdout: output,
    stderr: output,
    // it is not left behind, whatever becomes of it
    timeout: 240_000,
    killSignal: "SIGKILL",
  });
  closeSync(output);
  const look = (): Look => ({
    sleeps: readdirSync(`/proc/${daemon.pid}/task`)
      .map((thread) => readFileSync(`/proc/${daemon.pid}/task/${thread}/status`, "utf8"))
      .reduce((sum, status) => sum + numberIn(status, "voluntary_ctxt_switches"), 0),
    writes: numberIn(readFileSync(`/proc/${daemon.pid}/io`, "utf8"), "syscw"),
    anonymousBytes: 1024 * numberIn(readFileSync(`/proc/${daemon.pid}/smaps_rollup`, "utf8"), "Anonymous"),
    log: readFileSync(log, "utf8"),
    dutyWrittenAt: statSync(pwm, { bigint: true }).mtimeNs,
  });
  try {
    await hears("WATCHDOG=1", 30);
    const first = look();
    await hears("WATCHDOG=1", rounds);
    return [first, look()];
  } finally {
    daemon.kill("SIGTERM");
    listener.kill("SIGKILL");
    expect(await daemon.exited).toBe(0);
  }
}

/** A function that resolves when so many more lines with a word have come. */
function linesOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async (word: string, count: number): Promise<void> => {
    for (let heard = 0; heard < count;) {
      const end = text.indexOf("\n");
      if (end >= 0) {
        if (text.slice(0, end).includes(word)) heard += 1;
        text = text.slice(end + 1);
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop
      const { done, value } = await reader.read();
      if (done) throw new Error(`the end of all lines, ${count - heard} with ${word} too early`);
      text += decoder.decode(value, { stream: true });
    }
  };
}

function numberIn(text: string, name: string): number {
  const number = new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1];
  if (number === undefined) throw new Error(`no ${name}: ${text}`);
  return Number(number);
}

describe.skipIf(!isRoot)("a daemon whose temperature stays what it is", () => {
  let board: FakeBoard;
  let first: Look;
  let last: Look;
  beforeAll(async () => {
    board = await fakeBoard("pi-5", "/dev/shm");
    [first, last] = await lookTwice(board);
  });
  afterAll(() => rm(board.folder, { recursive: true, force: true }));

  test("goes to sleep once a round, in one thread", () => {
    expect(last.sleeps - first.sleeps).toBeLessThanOrEqual(rounds * 1.25);
  });
  test("writes what feeds the watchdog, and its metrics now and then", () => {
    expect(last.writes - first.writes).toBeGreaterThanOrEqual(rounds);
    // every 5 seconds: a slow machine does a few more in as many rounds
    expect(last.writes - first.writes).toBeLessThanOrEqual(rounds * 1.3);
  });
  test("leaves the fan's duty alone", () => {
    expect(last.dutyWrittenAt).toBe(first.dutyWrittenAt);
  });
  test("has told what it drives and what it did first, and is silent since", () => {
    expect(last.log).toBe(first.log);
    expect(first.log).toMatch(/^fan fan: .*\n.*100 % → 30 %.*\n$/);
  });
  test("takes less than 8 MiB of memory of its own", () => {
    expect(first.anonymousBytes).toBeGreaterThan(0);
    expect(last.anonymousBytes).toBeLessThan(8 << 20);
  });
});
