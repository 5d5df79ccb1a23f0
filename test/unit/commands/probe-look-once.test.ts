import { expect, test } from "bun:test";
import { lookOnce } from "../../../src/commands/probe/look-once.ts";
import { fakeAsk, fakeDiscovery, settle } from "../../fixtures/fake-discovery.ts";
import { sightingOf } from "../../fixtures/probe-values.ts";

const request = { via: "mdns", interfaces: [], hosts: [], timeoutMilliseconds: 1000 } as const;
const { signal } = new AbortController();
const pi1 = sightingOf("pi1", 1);

test("silence ends a look when berry.toml is read, all it names are heard of, and nobody is being asked", async () => {
  const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
  const read = Promise.withResolvers<{ expected: { name: string; role: string }[]; users: [] }>();
  const release = nodes.hold();
  const looking = lookOnce(request, { discovery, ask: nodes.ask }, read.promise, signal);
  const isAwaiting = () => discovery.requests[0]?.awaits?.([pi1]);
  expect(isAwaiting()).toBe(true);
  read.resolve({ expected: [{ name: "pi1", role: "node" }], users: [] });
  await settle();
  expect(discovery.requests[0]?.awaits?.([])).toBe(true);
  expect(isAwaiting()).toBe(false);
  discovery.see(pi1);
  await settle();
  expect(isAwaiting()).toBe(true);
  release();
  await settle();
  expect(isAwaiting()).toBe(false);
  discovery.end();
  expect((await looking).heard).toHaveLength(1);
});
