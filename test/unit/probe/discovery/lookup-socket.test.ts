import { expect, test } from "bun:test";
import { lookUp } from "../../../../src/probe/discovery/lookup-socket.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const { signal } = new AbortController();

test("an address needs no resolver, and keeps its zone", async () => {
  const named = { host: "fe80::1", zone: "eth0", port: 9100 };
  expect(await lookUp(named, 0, signal)).toEqual([{ address: "fe80::1", family: 6, zone: "eth0" }]);
});

test("a name is looked up where the system looks", async () => {
  const addresses = await lookUp({ host: "localhost", zone: null, port: 9100 }, 5000, signal);
  expect(["127.0.0.1", "::1"]).toContain(addresses[0]?.address ?? "");
});

test("a name that nobody knows says how to go on, and Ctrl-C ends the wait", async () => {
  const unknown = { host: "no such name.invalid", zone: null, port: 9100 };
  expect(await failureOf(lookUp(unknown, 60_000, signal))).toMatchObject({
    kind: "unavailable",
    message: "host no such name.invalid is not known to this machine's resolver",
    hint: expect.stringContaining("getent hosts"),
  });
  const aborted = failureOf(lookUp(unknown, 60_000, AbortSignal.abort(new Error("interrupted"))));
  expect(await aborted).toEqual(new Error("interrupted"));
});
