import { describe, expect, test } from "bun:test";
import { look } from "../../../src/probe/look.ts";
import type { Heard } from "../../../src/probe/rows/group-sightings.ts";
import type { Sighting } from "../../../src/probe/sighting.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { fakeAsk, fakeDiscovery, settle } from "../../fixtures/fake-discovery.ts";
import { pageAt, sightingOf, silence } from "../../fixtures/probe-values.ts";

const request = { via: "mdns", interfaces: [], hosts: [], timeoutMilliseconds: 1000 } as const;
const { signal } = new AbortController();
const never = () => false;
const told = (heard: readonly Heard[]) =>
  heard.map(({ sighting, answer }) => `${sighting.host} ${answer?.answer ?? "being asked"}`);

describe("one look", () => {
  test("asks whoever is found while others are still being looked for", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    discovery.see(sightingOf("pi1", 1));
    expect(nodes.asked).toEqual(["pi1"]);
    discovery.see(sightingOf("pi2", 2));
    discovery.end();
    expect(told((await looking).heard)).toEqual(["pi1 page", "pi2 page"]);
  });
  test("waits for everybody whom it asks", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const release = nodes.hold();
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    discovery.see(sightingOf("pi1", 1));
    discovery.end();
    let isOver = false;
    const over = looking.finally(() => (isOver = true));
    await settle();
    expect(isOver).toBe(false);
    release();
    expect(told((await over).heard)).toEqual(["pi1 page"]);
  });
  test("ends at once when enough is known", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(
      request,
      { discovery, ask: nodes.ask },
      (heard) => heard.filter(({ answer }) => answer?.answer === "page").length >= 2,
      signal,
    );
    discovery.see(sightingOf("pi1", 1));
    await settle();
    discovery.see(sightingOf("pi2", 2));
    const { heard, report } = await looking;
    expect(told(heard)).toEqual(["pi1 page", "pi2 page"]);
    expect(report).toBeNull();
  });
  test("asks nobody twice who has answered, or whose addresses are the same", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    nodes.answer("pi2", silence);
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    for (let time = 0; time < 3; time += 1) {
      discovery.see(sightingOf("pi1", 1, { addresses: sightingOf("pi1", 1).addresses.slice(0, time + 1) }));
      discovery.see(sightingOf("pi2", 2));
      await settle();
    }
    discovery.end();
    expect(told((await looking).heard)).toEqual(["pi1 page", "pi2 none"]);
    expect(nodes.asked).toEqual(["pi1", "pi2"]);
  });
  test("asks again when more addresses come of one who does not answer", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    const release = nodes.hold();
    discovery.see(sightingOf("pi1", 1, { addresses: [{ address: "fe80::1", family: 6, zone: "eth0" }] }));
    discovery.see(sightingOf("pi1", 1));
    release();
    await settle();
    discovery.end();
    expect(told((await looking).heard)).toEqual(["pi1 page"]);
    expect(nodes.asked).toEqual(["pi1", "pi1"]);
  });
  test("asks the silent once more when the network was flooded, and only then", async () => {
    for (const isFlooded of [true, false]) {
      const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
      nodes.answer("pi1", silence);
      const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
      discovery.see(sightingOf("pi1", 1));
      discovery.see(sightingOf("pi2", 2));
      await settle();
      nodes.answer("pi1", pageAt(1));
      discovery.end({ warnings: [], isFlooded });
      expect(told((await looking).heard)).toEqual([isFlooded ? "pi1 page" : "pi1 none", "pi2 page"]);
      expect(nodes.asked).toEqual(["pi1", "pi2", ...(isFlooded ? ["pi1"] : [])]);
    }
  });
  test("asks no more nodes than any home has", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    for (let number = 1; number <= 600; number += 1) discovery.see(sightingOf(`pi${number}`, number));
    discovery.end();
    const { heard, report } = await looking;
    expect([heard.length, nodes.asked.length]).toEqual([512, 512]);
    expect(report?.warnings.map(({ message }) => message)).toEqual([
      "more than 512 nodes are announced: the others are left out",
    ]);
  });
  test("asks a node that speaks for itself, though somebody announces more than any home has", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    for (let number = 1; number <= 600; number += 1)
      discovery.see(sightingOf(`liar${number}`, number, { sender: "192.168.1.66" }));
    discovery.see(sightingOf("pi1", 1, { sender: "192.168.1.1" }));
    discovery.end();
    const { heard, report } = await looking;
    expect(heard).toHaveLength(513);
    expect(nodes.asked.at(-1)).toBe("pi1");
    expect(report?.warnings).toHaveLength(1);
  });
  test("asks eight of one machine, those that the user has named besides, and says whom it leaves out", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    const at66 = (name: string, number: number, changes: Partial<Sighting> = {}) =>
      discovery.see(sightingOf(name, 66, { port: 9100 + number, sender: "192.168.1.66", ...changes }));
    for (let number = 1; number <= 30; number += 1) at66(`liar${number}`, number);
    for (let number = 1; number <= 10; number += 1)
      discovery.see(sightingOf(`mine${number}`, 66, { port: 9100 + number, source: "user" }));
    // it speaks for itself, whatever another one says of it
    at66("pi66", 0, { sender: "192.168.1.67" });
    nodes.answer("mover", silence);
    // and what has room elsewhere cannot move in
    discovery.see(sightingOf("mover", 77, { sender: "192.168.1.66" }));
    await settle();
    at66("mover", 40);
    discovery.end();
    const { heard, report } = await looking;
    const of = (name: string) => nodes.asked.filter((host) => host.startsWith(name)).length;
    expect([of("liar"), of("mine"), of("pi66"), of("mover")]).toEqual([8, 10, 1, 1]);
    expect(heard).toHaveLength(20);
    expect(report?.warnings.map(({ message }) => message)).toEqual([
      "192.168.1.66 announces more than 8 nodes: the others are left out",
    ]);
  });
  test("asks all of whom a router tells that passes on what it hears", async () => {
    const [discovery, nodes] = [fakeDiscovery(), fakeAsk()];
    const looking = look(request, { discovery, ask: nodes.ask }, never, signal);
    for (let number = 1; number <= 20; number += 1)
      discovery.see(sightingOf(`pi${number}`, number, { sender: "192.168.1.254" }));
    discovery.end();
    const { report } = await looking;
    expect([nodes.asked.length, report?.warnings]).toEqual([20, []]);
  });
  test("fails as the search does, and stops when nobody wants it any more", async () => {
    const discovery = fakeDiscovery();
    const looking = look(request, { discovery, ask: fakeAsk().ask }, never, signal);
    discovery.fail(new Error("no interface"));
    expect(await failureOf(looking)).toEqual(new Error("no interface"));
    const interrupt = new AbortController();
    const other = look(request, { discovery: fakeDiscovery(), ask: fakeAsk().ask }, never, interrupt.signal);
    interrupt.abort(new Error("enough"));
    expect(await failureOf(other)).toEqual(new Error("enough"));
  });
});
