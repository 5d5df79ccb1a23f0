import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { commandRunner } from "../../../../src/system/command-runner.ts";
import { openFaultyCard, type FaultyCard } from "../../../fixtures/cards/faulty-card.ts";
import type { Fault } from "../../../fixtures/cards/fault.ts";
import { mustRun, plainEnvironment } from "../../../fixtures/run.ts";

const mib = 1 << 20;
const sizeBytes = 8 * mib;
const signal = new AbortController().signal;

let scratch = "";
beforeAll(async () => void (scratch = await mkdtemp("/var/tmp/berry-test-")));
afterAll(async () => await rm(scratch, { recursive: true, force: true }));

/** Past the page cache, by another process: this one serves the card's keeper. */
async function read(card: FaultyCard, offsetBytes: number, lengthBytes: number): Promise<Buffer> {
  const file = join(scratch, "read");
  await mustRun(
    [
      "dd",
      `if=${card.device}`,
      `of=${file}`,
      "bs=1M",
      "iflag=direct,skip_bytes,count_bytes",
      "status=none",
    ].concat(`skip=${offsetBytes}`, `count=${lengthBytes}`),
    {},
    signal,
  );
  return await readFile(file);
}

async function tryToWrite(card: FaultyCard, offsetBytes: number, bytes: Buffer) {
  const file = join(scratch, "write");
  await writeFile(file, bytes);
  return await commandRunner.run(
    [
      "dd",
      `if=${file}`,
      `of=${card.device}`,
      "bs=1M",
      "oflag=direct,seek_bytes",
      "conv=notrunc",
      `seek=${offsetBytes}`,
    ],
    { env: plainEnvironment("/") },
    signal,
  );
}

async function write(card: FaultyCard, offsetBytes: number, bytes: Buffer): Promise<void> {
  const { exitCode, stderr } = await tryToWrite(card, offsetBytes, bytes);
  if (exitCode !== 0) throw new Error(stderr);
}

async function whatIsLeft(): Promise<string> {
  const loops = await mustRun(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"], {}, signal);
  const mounts = await readFile("/proc/self/mounts", "utf8");
  return `${loops}${mounts}`
    .split("\n")
    .filter((line) => line.includes("/berry-card-"))
    .join("\n");
}

describe("a card for tests", () => {
  test("keeps what is written, and is asked anew for everything that is read", async () => {
    await using card = await openFaultyCard({ sizeBytes });
    const bytes = Buffer.alloc(mib, "berry");
    await write(card, 2 * mib, bytes);
    const before = await card.counts();
    expect((await read(card, 2 * mib, mib)).equals(bytes)).toBe(true);
    const first = await card.counts();
    expect((await read(card, 2 * mib, mib)).equals(bytes)).toBe(true);
    const second = await card.counts();
    expect(first.readBytes - before.readBytes).toBe(mib);
    expect(second.readBytes - first.readBytes).toBe(mib);
    expect((await readFile(card.memory)).subarray(2 * mib, 3 * mib).equals(bytes)).toBe(true);
    expect((await read(card, 3 * mib, 512)).equals(Buffer.alloc(512, 0xa5))).toBe(true);
  });

  test("leaves nothing behind when its scope ends by an error, and while it hangs", async () => {
    let folder = "";
    const broken = async (): Promise<void> => {
      await using card = await openFaultyCard({ sizeBytes, fault: { fault: "hangs" } });
      folder = join(card.memory, "..");
      expect(await whatIsLeft()).toContain(folder);
      // Nobody waits for it: it can end only when the card is put away.
      void tryToWrite(card, 0, Buffer.alloc(mib)).catch(() => undefined);
      while ((await readFile(`/sys/block/${card.device.slice(5)}/inflight`, "utf8")).trim() === "0        0");
      throw new Error("on purpose");
    };
    expect(await broken().catch((failure: unknown) => String(failure))).toBe("Error: on purpose");
    expect(await whatIsLeft()).not.toContain(folder);
  });

  test("leaves nothing behind when the test is killed", async () => {
    const program = `
      const { openFaultyCard } = await import(${JSON.stringify(join(import.meta.dirname, "../../../fixtures/cards/faulty-card.ts"))});
      const card = await openFaultyCard({ sizeBytes: ${sizeBytes} });
      console.log(card.memory);
      await Bun.sleep(1e9);
    `;
    const child = Bun.spawn([process.execPath, "--eval", program], { stdin: "ignore", stdout: "pipe" });
    const { value } = await child.stdout.getReader().read();
    const folder = join(new TextDecoder().decode(value).trim(), "..");
    expect(await whatIsLeft()).toContain(folder);
    child.kill("SIGKILL");
    await child.exited;
    const isGone = async () => !(await whatIsLeft()).includes(folder);
    // The keeper is nobody's child: it is done when nothing is left, or the test takes too long.
    while (!(await isGone()));
    expect(await isGone()).toBe(true);
  });
});

describe("a bad card", () => {
  const ones = Buffer.alloc(2 * mib, 1);

  /** What is read back after all of it was written with ones. */
  async function written(fault: Fault): Promise<Buffer> {
    await using card = await openFaultyCard({ sizeBytes, fault });
    for (const part of [0, 1, 2, 3]) await write(card, part * 2 * mib, Buffer.alloc(2 * mib, part + 1));
    return await read(card, 0, sizeBytes);
  }

  const whole = Buffer.concat([1, 2, 3, 4].map((value) => Buffer.alloc(2 * mib, value)));

  test.each([
    ["turns one bit while reading", { fault: "bit-flip-on-read", offsetBytes: 3 * mib + 5, bit: 7 }],
    ["turns one bit while writing", { fault: "bit-flip-on-write", offsetBytes: 3 * mib + 5, bit: 7 }],
  ] as const)("%s", async (_, fault) => {
    const expected = Buffer.from(whole);
    expected[3 * mib + 5] = 2 ^ 0x80;
    expect((await written(fault)).equals(expected)).toBe(true);
  });

  test("drops writes", async () => {
    const expected = Buffer.from(whole).fill(0xa5, 4096, 8192);
    expect(
      (await written({ fault: "dropped-writes", offsetBytes: 4096, lengthBytes: 4096 })).equals(expected),
    ).toBe(true);
  });

  test("writes to a wrong place", async () => {
    const expected = Buffer.from(whole)
      .fill(0xa5, 7 * mib, 7 * mib + 4096)
      .fill(4, 512, 4608);
    const fault = {
      fault: "misdirected-writes",
      offsetBytes: 7 * mib,
      lengthBytes: 4096,
      toBytes: 512,
    } as const;
    expect((await written(fault)).equals(expected)).toBe(true);
  });

  test("keeps nothing", async () => {
    expect((await written({ fault: "silently-read-only" })).equals(Buffer.alloc(sizeBytes, 0xa5))).toBe(true);
  });

  test("wraps at its real size", async () => {
    const expected = Buffer.concat([3, 4, 3, 4].map((value) => Buffer.alloc(2 * mib, value)));
    expect((await written({ fault: "wraps", realBytes: 4 * mib })).equals(expected)).toBe(true);
  });

  test("gives zeros beyond its real size", async () => {
    const expected = Buffer.from(whole).fill(0, 3 * mib);
    expect((await written({ fault: "zeros-beyond", realBytes: 3 * mib })).equals(expected)).toBe(true);
  });

  test.each(["write-error", "pulled", "vanished"] as const)("fails to write: %s", async (kind) => {
    const fault: Fault =
      kind === "write-error" ? { fault: kind, offsetBytes: mib + 512, lengthBytes: 1 } : { fault: kind };
    await using card = await openFaultyCard({ sizeBytes, fault, onset: { writtenBytes: 2 * mib } });
    await write(card, 2 * mib, ones);
    const { exitCode, stderr } = await tryToWrite(card, 0, ones);
    expect(exitCode).toBe(1);
    // Once its server is gone, nbdfuse takes every request for a wrong one.
    expect(stderr).toMatch(
      kind === "vanished" ? /Input\/output error|Invalid argument/ : /Input\/output error/,
    );
  });

  test("fails to read from the chosen moment on", async () => {
    await using card = await openFaultyCard({ sizeBytes });
    await write(card, 0, ones);
    expect((await read(card, 0, mib)).equals(ones.subarray(0, mib))).toBe(true);
    await card.begin({ fault: "read-error", offsetBytes: 4096, lengthBytes: 1 });
    const failure = await read(card, 0, mib).catch((reason: unknown) => String(reason));
    expect(failure).toContain("Input/output error");
  });

  test("hangs until it is told to go on", async () => {
    await using card = await openFaultyCard({ sizeBytes, fault: { fault: "hangs" } });
    const order: string[] = [];
    const writing = write(card, 0, ones).then(() => order.push("written"));
    while ((await readFile(`/sys/block/${card.device.slice(5)}/inflight`, "utf8")).trim() === "0        0");
    order.push("told");
    await card.begin(null);
    await writing;
    expect(order).toEqual(["told", "written"]);
  });

  test("takes its time", async () => {
    await using card = await openFaultyCard({ sizeBytes, bytesPerSecond: 8 * mib });
    const start = performance.now();
    await write(card, 0, ones);
    // A lower limit alone: a busy machine only makes it slower.
    expect(performance.now() - start).toBeGreaterThan(240);
  });
});
