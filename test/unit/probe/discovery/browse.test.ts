import { describe, expect, test } from "bun:test";
import { browse, type BrowseReport, type BrowseRequest } from "../../../../src/probe/discovery/browse.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { type FakeNetwork, fakeNetwork, link } from "../../../fixtures/mdns-network.ts";
import { answerPacket, type AnswerOptions } from "../../../fixtures/mdns-packets.ts";

/** The id of every question: the network's random numbers are all 0. */
const id = 1;

interface Look {
  readonly report: Promise<BrowseReport>;
  readonly seen: string[];
  readonly endedAt: () => number | null;
}

function look(
  network: FakeNetwork,
  request: Partial<BrowseRequest> = {},
  signal = new AbortController().signal,
): Look {
  const seen: string[] = [];
  let endedAt: number | null = null;
  const report = browse(
    { links: [link("eth0")], timeoutMilliseconds: 1000, awaits: () => false, ...request },
    network,
    ({ instance }: Sighting) => seen.push(instance ?? ""),
    signal,
  );
  void report.then(
    () => (endedAt = network.clock.now()),
    () => (endedAt = network.clock.now()),
  );
  return { report, seen, endedAt: () => endedAt };
}

/** A board that answers to its questions after so long. */
function board(network: FakeNetwork, milliseconds: number, options: AnswerOptions = {}, on = "eth0"): void {
  const before = network.onAsked;
  network.onAsked = (asked) => {
    before(asked);
    if (asked.link === on && asked.family === 4)
      network.clock.after(milliseconds, () =>
        network.deliver(on, answerPacket({ id: asked.id, ...options }), "192.168.1.11"),
      );
  };
}

describe("a look", () => {
  test("asks on every link from a port of its own, without known answers, and again", async () => {
    const network = fakeNetwork();
    board(network, 2);
    const { report } = look(network, { links: [link("eth0"), link("eth0", 6), link("wlan0", 4, 2)] });
    await network.clock.advance(2000);
    await report;
    expect(network.asked.filter(({ at }) => at === 0).map(({ link, family }) => `${link}/${family}`)).toEqual(
      ["eth0/4", "eth0/6", "wlan0/4"],
    );
    expect(new Set(network.asked.map(({ at }) => at))).toEqual(new Set([0, 20]));
    expect(network.asked).not.toContainEqual(expect.objectContaining({ port: "mdns" }));
    expect(network.asked.flatMap(({ known }) => known)).toEqual([]);
    expect(new Set(network.asked.flatMap(({ questions }) => questions))).toEqual(
      new Set(["PTR _berry._tcp.local"]),
    );
  });

  test("ends soon where all answer at once, and closes its sockets", async () => {
    const network = fakeNetwork();
    board(network, 5);
    const { report, endedAt } = look(network);
    await network.clock.advance(1000);
    expect(await report).toMatchObject({
      end: "quiet",
      sightings: [{ instance: "berry on pi1" }],
      links: [{ name: "eth0", family: 4, sent: 2, received: 2, malformed: 0, error: null }],
      incomplete: [],
    });
    expect(endedAt()).toBeLessThanOrEqual(90);
    expect(network.opened).toEqual([]);
  });

  test("waits as long again as the last answer took", async () => {
    const network = fakeNetwork();
    board(network, 200);
    board(network, 390, { instance: "berry on pi2", host: "pi2" });
    const { report } = look(network);
    await network.clock.advance(1000);
    expect((await report).sightings).toHaveLength(2);
  });

  test("does not believe silence before anybody has answered", async () => {
    const network = fakeNetwork();
    board(network, 800);
    const { report, seen } = look(network);
    await network.clock.advance(1100);
    expect(seen).toEqual(["berry on pi1"]);
    expect((await report).end).toBe("timeout");
  });

  test("does not believe silence while somebody is expected", async () => {
    const network = fakeNetwork();
    board(network, 5);
    board(network, 400, { instance: "berry on pi2", host: "pi2" });
    const { report, endedAt } = look(network, { awaits: (sightings) => sightings.length < 2 });
    await network.clock.advance(3000);
    expect((await report).sightings).toHaveLength(2);
    expect(endedAt()).toBeLessThan(900);
  });

  test("ends soon after nobody is expected any more, though nothing was heard", async () => {
    const network = fakeNetwork();
    board(network, 5);
    const { report, endedAt } = look(network, { awaits: () => network.clock.now() < 270 });
    await network.clock.advance(1000);
    await report;
    expect(endedAt()).toBeLessThan(300);
  });

  test("ends with its time where nobody answers, after asking again and again", async () => {
    const network = fakeNetwork();
    const { report, endedAt } = look(network, { timeoutMilliseconds: 15_000 });
    await network.clock.advance(20_000);
    expect(await report).toMatchObject({ end: "timeout", sightings: [] });
    expect(endedAt()).toBeLessThan(15_010);
    expect(network.asked.map(({ at }) => at)).toEqual([0, 20, 100, 250, 500, 1000, 2000, 4000, 7000, 12_000]);
  });

  test("finds who has missed the first question", async () => {
    const network = fakeNetwork();
    network.onAsked = ({ at }) => {
      if (at > 0) network.deliver("eth0", answerPacket({ id }), "192.168.1.11");
    };
    const { report } = look(network);
    await network.clock.advance(1000);
    expect((await report).sightings).toHaveLength(1);
  });

  test("asks at once for what an answer has left out, and tells what nobody says", async () => {
    const network = fakeNetwork();
    board(network, 3, { without: ["A", "SRV"], txt: null });
    const { report } = look(network, { timeoutMilliseconds: 20 });
    await network.clock.advance(100);
    expect(network.asked.find(({ at }) => at === 3)?.questions).toEqual([
      "PTR _berry._tcp.local",
      "SRV berry on pi1._berry._tcp.local",
      "TXT berry on pi1._berry._tcp.local",
    ]);
    expect(await report).toMatchObject({ incomplete: ["berry on pi1._berry._tcp.local"], sightings: [] });
  });

  test("is not made to ask without end by who announces without end", async () => {
    const network = fakeNetwork();
    let number = 0;
    network.onAsked = () => {
      number += 1;
      const instance = `liar ${number}`;
      network.deliver("eth0", answerPacket({ id, instance, without: ["SRV"], txt: null }), "192.168.1.66");
    };
    const { report } = look(network);
    await network.clock.advance(1100);
    await report;
    expect(network.asked.length).toBeLessThan(20);
  });

  test("reads a few packets of each sender, so that a flood does not drown a node", async () => {
    const network = fakeNetwork();
    network.onAsked = () => {
      for (let number = 0; number < 4000; number += 1) {
        const packet = answerPacket({ id, instance: `liar ${number}`, without: ["SRV", "A"], txt: ["a=b"] });
        network.deliver("eth0", packet, `192.168.1.${100 + (number % 20)}`);
      }
      network.deliver("eth0", answerPacket({ id }), "192.168.1.11");
    };
    const { report, seen } = look(network, { timeoutMilliseconds: 15 });
    await network.clock.advance(100);
    const { dropped, links } = await report;
    expect(dropped).toBeGreaterThan(3000);
    expect(links[0]?.received).toBeLessThan(400);
    expect(seen).toEqual(["berry on pi1"]);
  });

  test("counts what is malformed, and passes over answers to others", async () => {
    const network = fakeNetwork();
    network.onAsked = () => {
      network.deliver("eth0", Uint8Array.from([1, 2, 3]), "192.168.1.66");
      network.deliver("eth0", answerPacket({ id: 4711 }), "192.168.1.11");
    };
    const { report, seen } = look(network, { timeoutMilliseconds: 15 });
    await network.clock.advance(100);
    expect((await report).links).toMatchObject([{ sent: 1, received: 0, malformed: 1 }]);
    expect(seen).toEqual([]);
  });
});

describe("an interface that fails", () => {
  test("does not stop the others, and is told of", async () => {
    const network = fakeNetwork();
    network.broken.set("wlan0/4", "network is down");
    board(network, 5);
    const { report } = look(network, { links: [link("wlan0", 4, 2), link("eth0")] });
    await network.clock.advance(1000);
    expect(await report).toMatchObject({
      sightings: [{ instance: "berry on pi1" }],
      links: [
        { name: "wlan0", sent: 0, error: "network is down" },
        { name: "eth0", error: null },
      ],
    });
  });

  test("and all others too, is an error that says what to do", async () => {
    const network = fakeNetwork();
    network.broken.set("eth0/4", "permission denied");
    network.onAsked = () => network.fail("wlan0", "operation not permitted");
    const { report } = look(network, { links: [link("eth0"), link("wlan0", 4, 2)], timeoutMilliseconds: 50 });
    const failure = failureOf(report);
    await network.clock.advance(100);
    expect(await failure).toMatchObject({
      kind: "unavailable",
      message:
        "no interface could be asked for nodes: eth0 over IPv4: permission denied; wlan0 over IPv4: operation not permitted",
      hint: expect.stringContaining("5353"),
    });
  });
});

test("Ctrl-C ends a look with its reason, and closes its sockets", async () => {
  const network = fakeNetwork();
  const abort = new AbortController();
  const failure = failureOf(look(network, {}, abort.signal).report);
  await network.clock.advance(40);
  abort.abort(new Error("interrupted"));
  await network.clock.advance(0);
  expect(await failure).toEqual(new Error("interrupted"));
  expect(network.opened).toEqual([]);
});
