import { describe, expect, test } from "bun:test";
import type { LinkReport } from "../../../../src/probe/discovery/channel.ts";
import type { Link } from "../../../../src/probe/discovery/links.ts";
import { watch } from "../../../../src/probe/discovery/watch.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { type FakeNetwork, fakeNetwork, link } from "../../../fixtures/mdns-network.ts";
import { answerPacket, readCaptures } from "../../../fixtures/mdns-packets.ts";

interface Watching {
  readonly events: string[];
  links: readonly Link[] | Error;
  readonly report: Promise<readonly LinkReport[]>;
  readonly abort: AbortController;
}

function start(network: FakeNetwork, links: readonly Link[] | Error = [link("eth0")]): Watching {
  const events: string[] = [];
  const abort = new AbortController();
  const there = () => {
    if (watching.links instanceof Error) throw watching.links;
    return watching.links;
  };
  const watching: Watching = {
    events,
    abort,
    links,
    report: Promise.resolve().then(
      async () =>
        await watch(
          { links: there },
          network,
          (event) =>
            events.push(
              event.event === "gone" ? `gone ${event.instance}` : `seen ${event.sighting.instance}`,
            ),
          abort.signal,
        ),
    ),
  };
  return watching;
}

const seconds = (network: FakeNetwork, type: string) =>
  network.asked
    .filter(({ questions }) => questions.some((question) => question.startsWith(type)))
    .map(({ at }) => Math.round(at / 1000));
const source = "192.168.1.11";

describe("continuous querying", () => {
  test("asks from port 5353, at longer and longer intervals up to an hour", async () => {
    const network = fakeNetwork();
    start(network);
    await network.clock.advance(4 * 3600 * 1000);
    expect(seconds(network, "PTR")).toEqual([
      0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 7695, 11_295,
    ]);
    expect(network.asked[0]).toMatchObject({ at: 20, port: "mdns", id: 0, known: [] });
  });

  test("says what is known, so that nobody answers twice", async () => {
    const network = fakeNetwork();
    const { events } = start(network);
    await network.clock.advance(500);
    network.deliver("eth0", answerPacket({ ttl: 100 }), source);
    await network.clock.advance(60_000);
    expect(events).toEqual(["seen berry on pi1"]);
    const known = network.asked.map(({ at, known }) => [Math.round(at / 1000), known.length]);
    expect(known).toEqual([
      [0, 0],
      [1, 1],
      [3, 1],
      [7, 1],
      [15, 1],
      [31, 1],
    ]);
  });

  test("asks for records again before they run out, and tells who is gone when they have", async () => {
    const network = fakeNetwork();
    const { events } = start(network);
    await network.clock.advance(500);
    network.deliver("eth0", answerPacket({ ttl: 100 }), source);
    await network.clock.advance(99_400);
    expect(seconds(network, "SRV")).toEqual([81, 86, 91, 96]);
    expect(events).toEqual(["seen berry on pi1"]);
    await network.clock.advance(1000);
    expect(events).toEqual(["seen berry on pi1", "gone berry on pi1"]);
  });

  test("keeps who answers then", async () => {
    const network = fakeNetwork();
    const { events } = start(network);
    await network.clock.advance(500);
    network.deliver("eth0", answerPacket({ ttl: 100 }), source);
    network.onAsked = ({ questions }) => {
      if (questions.some((question) => question.startsWith("SRV")))
        network.clock.after(5, () =>
          network.deliver("eth0", answerPacket({ ttl: 100, flush: true }), source),
        );
    };
    await network.clock.advance(1_000_000);
    expect(events).toEqual(["seen berry on pi1"]);
  });

  test("hears who comes and who says goodbye without having asked", async () => {
    const network = fakeNetwork();
    const { events } = start(network);
    await network.clock.advance(3_000_000);
    for (const { how, packet } of readCaptures())
      if (how === "multicast") network.deliver("eth0", packet, "192.168.1.30");
    await network.clock.advance(2000);
    expect(new Set(events)).toEqual(
      new Set([
        "seen berry on pi0",
        "seen berry on pi1",
        "seen berry on pi1-2",
        "seen berry on pi2",
        "gone berry on pi0",
      ]),
    );
  });

  test("asks for what an announcement has left out, ever less often", async () => {
    const network = fakeNetwork();
    start(network);
    await network.clock.advance(500);
    network.deliver("eth0", answerPacket({ ttl: 4500, without: ["SRV"], txt: null }), source);
    await network.clock.advance(20_000);
    expect(seconds(network, "SRV")).toEqual([1, 2, 4, 8, 16]);
  });

  test("believes nothing that was not sent by a responder of the link, and is not disturbed by questions", async () => {
    const network = fakeNetwork();
    const { events, report, abort } = start(network);
    await network.clock.advance(500);
    network.deliver("eth0", answerPacket({}), "203.0.113.9");
    network.deliver("eth0", answerPacket({}), source, 40_000);
    network.deliver("eth0", Uint8Array.from([0, 0, 0, 0, 0]), source);
    network.deliver("eth0", Uint8Array.from([0, 0, 0x84, 0, 0]), source);
    await network.clock.advance(500);
    abort.abort();
    await network.clock.advance(0);
    expect(events).toEqual([]);
    expect(await report).toMatchObject([{ received: 0, malformed: 1 }]);
  });

  test("starts anew when the machine has slept", async () => {
    const network = fakeNetwork();
    let slept = 0;
    const clock = { ...network.clock, now: () => network.clock.now() + slept };
    const abort = new AbortController();
    void watch({ links: () => [link("eth0")] }, { ...network, clock }, () => undefined, abort.signal);
    await network.clock.advance(400_000);
    const before = network.asked.length;
    slept = 3_600_000;
    await network.clock.advance(10_000);
    expect(network.asked.length).toBeGreaterThan(before + 2);
  });
});

describe("interfaces", () => {
  test("that come are asked on, and those that go take their nodes with them", async () => {
    const network = fakeNetwork();
    const watching = start(network);
    await network.clock.advance(1000);
    watching.links = [link("eth0"), link("wlan0", 4, 2)];
    await network.clock.advance(6000);
    expect(network.opened).toEqual(["eth0/4", "wlan0/4"]);
    network.deliver("wlan0", answerPacket({}), "192.168.2.11");
    network.deliver("eth0", answerPacket({ instance: "berry on pi2", host: "pi2" }), source);
    watching.links = new Error("no network interface can be asked for nodes");
    await network.clock.advance(6000);
    expect(network.opened).toEqual([]);
    expect(watching.events).toEqual([
      "seen berry on pi1",
      "seen berry on pi2",
      "gone berry on pi2",
      "gone berry on pi1",
    ]);
    watching.links = [link("eth0")];
    await network.clock.advance(6000);
    expect(network.opened).toEqual(["eth0/4"]);
  });

  test("of which one family goes keep what was heard", async () => {
    const network = fakeNetwork();
    const watching = start(network, [link("eth0"), link("eth0", 6)]);
    await network.clock.advance(1000);
    network.deliver("eth0", answerPacket({ ttl: 4500 }), "fe80::11%eth0");
    watching.links = [link("eth0")];
    await network.clock.advance(6000);
    expect(watching.events).toEqual(["seen berry on pi1"]);
  });

  test("that cannot be listened on are an error only if all of them are", async () => {
    const network = fakeNetwork();
    network.broken.set("eth0/4", "address already in use");
    const { report, abort } = start(network, [link("eth0"), link("wlan0", 4, 2)]);
    await network.clock.advance(100);
    abort.abort();
    await network.clock.advance(0);
    expect(await report).toMatchObject([{ error: "address already in use" }, { error: null }]);
    const failure = failureOf(start(network, [link("eth0")]).report);
    await network.clock.advance(0);
    expect(await failure).toMatchObject({
      kind: "unavailable",
      message: "no interface could be asked for nodes: eth0 over IPv4: address already in use",
    });
  });
});

test("aborting ends the watch and closes its sockets", async () => {
  const network = fakeNetwork();
  const { report, abort } = start(network, [link("eth0"), link("eth0", 6)]);
  await network.clock.advance(1000);
  expect(network.opened).toHaveLength(2);
  abort.abort();
  await network.clock.advance(0);
  expect(await report).toHaveLength(2);
  expect(network.opened).toEqual([]);
});
