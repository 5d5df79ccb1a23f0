import { expect, test } from "bun:test";
import { openSync } from "node:fs";
import { BerryError } from "../../../../src/core/errors.ts";
import { startCardProcess } from "../../../../src/imager/write/card-process.ts";
import type { CardTask } from "../../../../src/imager/write/card-task.ts";
import type { WriteEvent } from "../../../../src/imager/write/write-event.ts";
import { fakeClock } from "../../../unit/cli/fakes.ts";

const task: CardTask = {
  device: "/dev/card",
  identity: { majorMinor: "0:0", sizeBytes: 0, serial: "", sequence: null },
  sectorBytes: 512,
  isConfirmed: false,
  keep: [],
  image: "/an.img",
  map: { sizeBytes: 0, from: "holes", data: [], zeros: [], partitions: [] },
  stamp: null,
  resume: false,
};
const fileDescriptor = openSync("/dev/null", "r");

function start(argv: readonly string[]) {
  const clock = fakeClock();
  const events: WriteEvent[] = [];
  const emit = (event: WriteEvent) => void events.push(event);
  const environment = { PATH: process.env["PATH"] };
  const request = { argv, environment, task, fileDescriptor, giveUpSeconds: 20 };
  return { card: startCardProcess(request, { emit, clock }), events, clock };
}

const shell = (script: string) => start(["sh", "-c", script]);
const failed = (kind: string, message: string) => ({
  event: "failed",
  device: "/dev/card",
  kind,
  message: expect.stringContaining(message),
});

test("a program that cannot be started is a card that was not written", async () => {
  expect(await start(["/nonexistent/berry"]).card.ended).toMatchObject(failed("os", "cannot start"));
});

test("a process that ends without a word is told with its exit code and what it wrote last", async () => {
  const { card } = shell("read task; echo first >&2; echo out of memory >&2; exit 3");
  expect(await card.ended).toMatchObject(failed("os", "ended by exit code 3: out of memory"));
});

test("the end of a card is its last event, and not passed on twice", async () => {
  const { card, events } = shell(`read task
    echo '{"event":"progress","device":"/dev/card","phase":"writing","doneBytes":1,"totalBytes":2}'
    echo '{"event":"failed","device":"/dev/card","kind":"io","message":"pulled","hint":null,"mismatch":null}'`);
  expect(await card.ended).toMatchObject(failed("io", "pulled"));
  expect(events.map(({ event }) => event)).toEqual(["progress"]);
});

test("a card that is stopped fails with the reason", async () => {
  const { card } = shell(`read task; read order
    echo '{"event":"failed","device":"/dev/card","kind":"interrupted","message":"","hint":null,"mismatch":null}'`);
  card.stop(new BerryError("bad-data", "the archive is damaged"));
  expect(await card.ended).toMatchObject(failed("bad-data", "the archive is damaged"));
});

test("a card that had failed before it was stopped tells its own reason", async () => {
  const { card } = shell(`read task; read order
    echo '{"event":"failed","device":"/dev/card","kind":"io","message":"pulled","hint":null,"mismatch":null}'`);
  card.stop(new BerryError("interrupted", "Ctrl-C"));
  expect(await card.ended).toMatchObject(failed("io", "pulled"));
});

test("a silent card is told of, then given up", async () => {
  const { card, events, clock } = shell("read task; exec sleep 600");
  for (let second = 0; second <= 21; second += 1) await clock.advance(1000);
  expect(await card.ended).toMatchObject(failed("io", "has not answered for 20 s while writing: given up"));
  expect(events).toEqual([
    { event: "stalled", device: "/dev/card", phase: "writing", seconds: 10 },
    { event: "stalled", device: "/dev/card", phase: "writing", seconds: 20 },
  ]);
});

test("a card that does not stop when it should is left behind", async () => {
  const { card, clock } = shell("read task; exec sleep 600");
  card.stop(new BerryError("interrupted", "Ctrl-C"));
  for (let second = 0; second <= 21; second += 1) await clock.advance(1000);
  expect(await card.ended).toMatchObject(failed("interrupted", "Ctrl-C"));
});
