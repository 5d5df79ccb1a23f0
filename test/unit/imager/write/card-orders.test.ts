import { expect, test } from "bun:test";
import { readLines } from "../../../../src/core/lines.ts";
import { readOrders } from "../../../../src/imager/write/card-orders.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

/** Standard input that a test writes to. */
function input() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return {
    lines: readLines(readable),
    send: async (text: string) => await writer.write(new TextEncoder().encode(text)),
    end: async () => await writer.close(),
  };
}

const never = new AbortController().signal;

test("no task comes: nothing is to be done", async () => {
  const { lines, end } = input();
  void end();
  expect(await readOrders(lines, () => undefined)).toBeNull();
});

test("an image grows by orders, and who needs more says so and waits", async () => {
  const { lines, send } = input();
  const asked: number[] = [];
  void send('{"device":"/dev/x"}\n{"order":"avai');
  const orders = await readOrders(lines, (bytes) => asked.push(bytes));
  expect(orders?.task.device).toBe("/dev/x");
  const there = orders?.availability.atLeast(4096, never);
  expect(asked).toEqual([4096]);
  await send('lable","bytes":4095}\n{"order":"available","bytes":5000}\n');
  await there;
  expect(orders?.availability.bytes()).toBe(5000);
  await orders?.availability.atLeast(5000, never);
  expect(asked).toEqual([4096]);
});

test.each([
  ["the order", async (stdin: ReturnType<typeof input>) => await stdin.send('{"order":"abort"}\n')],
  ["the end of standard input", async (stdin: ReturnType<typeof input>) => await stdin.end()],
  ["what is no order", async (stdin: ReturnType<typeof input>) => await stdin.send("nonsense\n")],
])("%s stops the card, also while it waits for the image", async (_, stop) => {
  const stdin = input();
  void stdin.send("{}\n");
  const orders = await readOrders(stdin.lines, () => undefined);
  if (orders === null) throw new Error("no task");
  const waiting = failureOf(orders.availability.atLeast(1, orders.stop));
  void stop(stdin);
  expect(await waiting).toBeDefined();
  expect(orders.stop.aborted).toBe(true);
});
