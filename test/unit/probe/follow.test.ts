import { describe, expect, test } from "bun:test";
import { follow } from "../../../src/probe/follow.ts";
import type { Answer } from "../../../src/probe/health.ts";
import type { Heard } from "../../../src/probe/rows/group-sightings.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { fakeAsk, fakeDiscovery, settle } from "../../fixtures/fake-discovery.ts";
import { pageAt, sightingOf, silence } from "../../fixtures/probe-values.ts";
import { fakeClock } from "../cli/fakes.ts";

const request = { via: "mdns", interfaces: [], hosts: [], timeoutMilliseconds: 1000 } as const;
const { signal } = new AbortController();
const options = { everyMilliseconds: 5000, forgetMilliseconds: 60_000 };

function start() {
  const [discovery, nodes, clock] = [fakeDiscovery(), fakeAsk(), fakeClock()];
  const interrupt = new AbortController();
  let latest: readonly Heard[] = [];
  const following = follow(
    request,
    { discovery, ask: nodes.ask, clock },
    options,
    (heard) => {
      latest = heard;
    },
    interrupt.signal,
  );
  return {
    discovery,
    nodes,
    following,
    stop: () => interrupt.abort(new Error("enough")),
    async pass(milliseconds: number) {
      for (let time = 0; time < milliseconds; time += options.everyMilliseconds) {
        await clock.advance(options.everyMilliseconds);
        await settle();
      }
    },
    places: () => latest.map(({ answeredAt }) => answeredAt),
    units: () => latest.map(({ answer }) => (answer?.answer === "page" ? answer.health.failedUnits : "?")),
    told: () => latest.map(({ sighting, answer }) => `${sighting.host} ${answer?.answer ?? "being asked"}`),
  };
}

describe("who is followed", () => {
  test("is asked when it is seen, and every few seconds from then on", async () => {
    const { discovery, nodes, told, pass } = start();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    expect(told()).toEqual(["pi1 page"]);
    nodes.answer("pi1", silence);
    await pass(5000);
    expect(told()).toEqual(["pi1 none"]);
    expect(nodes.asked).toEqual(["pi1", "pi1"]);
  });
  test("is looked for, too, each minute: whom listening missed", async () => {
    const { discovery, nodes, told, pass } = start();
    await settle();
    const looks = () => discovery.requests.filter(({ kind }) => kind === "browse").length;
    expect([discovery.requests.length, looks()]).toEqual([2, 1]);
    discovery.find(sightingOf("pi1", 1));
    await settle();
    expect(told()).toEqual(["pi1 page"]);
    discovery.see(sightingOf("pi2", 2));
    await settle();
    discovery.find(sightingOf("pi2", 2, { addresses: sightingOf("pi2", 2).addresses.slice(1) }));
    await settle();
    expect([told(), nodes.asked]).toEqual([
      ["pi1 page", "pi2 page"],
      ["pi1", "pi2"],
    ]);
    await pass(55_000);
    expect(looks()).toBe(1);
    await pass(5000);
    expect(looks()).toBe(2);
  });
  test("starts from what is known already", async () => {
    const [discovery, nodes, clock] = [fakeDiscovery(), fakeAsk(), fakeClock()];
    const known = [
      { sighting: sightingOf("pi1", 1), answer: pageAt(1) },
      { sighting: sightingOf("pi2", 2), answer: silence },
    ];
    let latest: readonly Heard[] = [];
    const following = follow(
      request,
      { discovery, ask: nodes.ask, clock },
      { ...options, known },
      (heard) => {
        latest = heard;
      },
      signal,
    );
    following.catch(() => undefined);
    await settle();
    expect(nodes.asked).toEqual(["pi2"]);
    expect(latest.map(({ answer }) => answer?.answer)).toEqual(["page", "page"]);
  });
  test("is one of eight at most of one machine", async () => {
    const { discovery, nodes, told, pass } = start();
    const see = (number: number, address = 66) =>
      discovery.see(sightingOf(`liar${number}`, address, { port: 9100 + number, sender: "192.168.1.66" }));
    for (let number = 1; number <= 30; number += 1) see(number);
    see(31, 77);
    await settle();
    see(31);
    await pass(5000);
    expect([told().length, nodes.asked.length]).toEqual([9, 18]);
  });
  test("is as it was, where its turn to be asked has not come", async () => {
    const { discovery, nodes, told, pass } = start();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    nodes.answer("pi1", { answer: "none", why: "not asked", isUnasked: true });
    await pass(5000);
    expect([nodes.asked.length, told()]).toEqual([2, ["pi1 page"]]);
  });
  test("is asked at once where it has moved to", async () => {
    const { discovery, nodes, told } = start();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    expect(nodes.asked).toHaveLength(1);
    discovery.see(sightingOf("pi1", 9));
    await settle();
    expect(nodes.asked).toHaveLength(2);
    expect(told()).toEqual(["pi1 page"]);
  });
  test("is not asked twice at a time", async () => {
    const { discovery, nodes, pass } = start();
    const release = nodes.hold();
    discovery.see(sightingOf("pi1", 1));
    await pass(20_000);
    expect(nodes.asked).toHaveLength(1);
    release();
  });
  test("lives on when its announcement has ended and it still answers", async () => {
    const { discovery, told, pass } = start();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    discovery.tell({ event: "gone", instance: "berry on pi1" });
    await pass(600_000);
    expect(told()).toEqual(["pi1 page"]);
  });
  test("is known to have answered when it does not any more", async () => {
    const { discovery, nodes, places, pass } = start();
    nodes.answer("pi1", silence);
    discovery.see(sightingOf("pi1", 1));
    await settle();
    expect(places()).toEqual([undefined]);
    nodes.answer("pi1", pageAt(1));
    await pass(5000);
    expect(places()).toEqual(["192.168.1.1"]);
    nodes.answer("pi1", silence);
    await pass(10_000);
    expect(places()).toEqual(["192.168.1.1"]);
  });
  test("is dead at once when it said goodbye, and forgotten after a while", async () => {
    const { discovery, nodes, told, pass } = start();
    discovery.see(sightingOf("pi1", 1));
    await settle();
    nodes.answer("pi1", silence);
    discovery.tell({ event: "gone", instance: "berry on pi1" });
    await settle();
    expect(told()).toEqual(["pi1 none"]);
    await pass(55_000);
    expect(told()).toEqual(["pi1 none"]);
    await pass(5000);
    expect(told()).toEqual([]);
  });
  test("is one node when it was renamed, whichever is heard first", async () => {
    for (const isGoodbyeFirst of [true, false]) {
      const { discovery, told } = start();
      const goodbye = () => discovery.tell({ event: "gone", instance: "berry on old" });
      discovery.see(sightingOf("old", 1));
      await settle();
      if (isGoodbyeFirst) goodbye();
      discovery.see(sightingOf("new", 1));
      if (!isGoodbyeFirst) goodbye();
      await settle();
      expect(told()).toEqual(["new page"]);
    }
  });
});

describe("who does not answer in time", () => {
  const late: Answer = { answer: "none", why: "no answer within 1 s", isLate: true };
  const lateUnits = { ...pageAt(1, { failedUnits: null }), isLate: true } as Answer;
  const pi1 = sightingOf("pi1", 1);
  /** The rounds in which something was added to the list. */
  async function roundsOf(list: readonly string[], rounds: number, pass: (time: number) => Promise<void>) {
    const found: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const before = list.length;
      await pass(options.everyMilliseconds);
      if (list.length > before) found.push(round);
    }
    return found;
  }
  async function startLate(answer: Answer = late) {
    const started = start();
    started.nodes.answer("pi1", answer);
    started.discovery.see(pi1);
    await settle();
    return started;
  }

  test("is asked again after one round, then two, four and never more than eight", async () => {
    const { nodes, told, pass } = await startLate();
    expect([nodes.asked, told()]).toEqual([["pi1"], ["pi1 none"]]);
    expect(await roundsOf(nodes.asked, 32, pass)).toEqual([1, 3, 7, 15, 23, 31]);
  });
  test.each<[string, Answer]>([
    ["nobody listens", silence],
    ["something else answers", { answer: "garbage", why: "answers with HTTP status 503" }],
  ])("unlike those where %s, who are asked each round", async (_, answer) => {
    const { nodes, pass } = await startLate(answer);
    expect(await roundsOf(nodes.asked, 4, pass)).toEqual([1, 2, 3, 4]);
  });
  test("is asked each round from its next answer on, and is patient anew", async () => {
    const { nodes, pass } = await startLate();
    expect(await roundsOf(nodes.asked, 6, pass)).toEqual([1, 3]);
    nodes.answer("pi1", pageAt(1));
    expect(await roundsOf(nodes.asked, 3, pass)).toEqual([1, 2, 3]);
    nodes.answer("pi1", late);
    expect(await roundsOf(nodes.asked, 5, pass)).toEqual([1, 2, 4]);
  });
  test("is asked at once where its addresses are others", async () => {
    const { discovery, nodes, pass } = await startLate();
    await roundsOf(nodes.asked, 7, pass);
    const before = nodes.asked.length;
    discovery.see(sightingOf("pi1", 9));
    await settle();
    expect(nodes.asked).toHaveLength(before + 1);
    expect(await roundsOf(nodes.asked, 3, pass)).toEqual([1, 3]);
  });
  test("is asked in the next round where it announces itself anew, or a look finds it", async () => {
    const { discovery, nodes, pass } = await startLate();
    for (const tell of [discovery.see, discovery.find]) {
      await roundsOf(nodes.asked, 7, pass);
      tell(pi1);
      expect(await roundsOf(nodes.asked, 3, pass)).toEqual([1, 2]);
    }
  });
  test("with its units alone is asked for them less often, and for all else each round", async () => {
    const { nodes, told, pass } = await startLate(lateUnits);
    expect(told()).toEqual(["pi1 page"]);
    expect(await roundsOf(nodes.askedForUnits, 16, pass)).toEqual([1, 3, 7, 15]);
    expect(nodes.asked).toHaveLength(17);
    nodes.answer("pi1", pageAt(1));
    expect(await roundsOf(nodes.askedForUnits, 9, pass)).toEqual([7, 8, 9]);
  });
  test("with its units alone is asked for them at once where its addresses are others", async () => {
    const { discovery, nodes, pass } = await startLate(lateUnits);
    await roundsOf(nodes.asked, 7, pass);
    const before = nodes.askedForUnits.length;
    discovery.see(sightingOf("pi1", 9));
    await settle();
    expect(nodes.askedForUnits).toHaveLength(before + 1);
  });
});

describe("units that were told", () => {
  const failed = pageAt(1, { failedUnits: ["a.service"] });
  const unknown = pageAt(1, { failedUnits: null });
  const late = { ...unknown, isLate: true } as Answer;
  async function startTold() {
    const started = start();
    started.nodes.answer("pi1", failed);
    started.discovery.see(sightingOf("pi1", 1));
    await settle();
    return started;
  }

  test("stand when they are late twice, and are unknown from the third time on", async () => {
    const { nodes, units, pass } = await startTold();
    nodes.answer("pi1", late);
    const told: unknown[] = [];
    for (let round = 1; round <= 7; round += 1) {
      await pass(5000);
      told.push(units());
    }
    expect(nodes.askedForUnits).toHaveLength(1 + 3);
    const stands = [["a.service"]];
    // asked for in rounds 1, 2 and 4
    expect(told).toEqual([stands, stands, stands, [null], [null], [null], [null]]);
  });
  test.each<[string, Answer]>([
    ["the node does not say them any more", unknown],
    ["another address answers", { ...late, address: "192.168.1.2" } as Answer],
    ["all are well again", pageAt(1, { failedUnits: [] })],
  ])("do not where %s", async (_, answer) => {
    const { nodes, units, pass } = await startTold();
    nodes.answer("pi1", answer);
    await pass(5000);
    expect(units()).toEqual([answer.answer === "page" ? answer.health.failedUnits : undefined] as never);
  });
});

describe("a liar", () => {
  const mine = sightingOf("pi1", 1, { instance: "pi1", sender: "192.168.1.1" });
  const lie = sightingOf("pi1", 66, { instance: "pi1", serial: mine.serial, sender: "192.168.1.66" });
  const labelled = (sighting: typeof mine) => ({ ...sighting, instance: `pi1 (${sighting.sender})` });
  const addresses = (heard: readonly string[]) => heard.toSorted();

  test("whom alone listening heard does not keep a look from the node", async () => {
    const { discovery, nodes, told } = start();
    discovery.see(lie);
    await settle();
    discovery.find(mine);
    await settle();
    expect(nodes.asked).toHaveLength(2);
    expect(told()).toEqual(["pi1 page", "pi1 page"]);
  });
  test("that has gone is forgotten within a round, as the node answers", async () => {
    const { discovery, nodes, told, pass } = start();
    discovery.see(mine);
    await settle();
    discovery.tell({ event: "gone", instance: "pi1" });
    discovery.see(labelled(mine));
    discovery.see(labelled(lie));
    await settle();
    expect(addresses(told())).toEqual(["pi1 page", "pi1 page"]);
    nodes.answerAt("192.168.1.66", silence);
    discovery.tell({ event: "gone", instance: "pi1 (192.168.1.66)" });
    discovery.tell({ event: "gone", instance: "pi1 (192.168.1.1)" });
    discovery.see(mine);
    await pass(10_000);
    expect(told()).toEqual(["pi1 page"]);
  });
  test("that took an address for another name is forgotten though the node answers there", async () => {
    const { discovery, nodes, told, pass } = start();
    const evil = sightingOf("evil", 1, { instance: "evil", serial: null, sender: "192.168.1.66" });
    nodes.answer("evil", pageAt(1, { hostName: "pi1" }));
    discovery.see(evil);
    discovery.see(mine);
    await settle();
    expect(addresses(told())).toEqual(["evil page", "pi1 page"]);
    discovery.tell({ event: "gone", instance: "evil" });
    await pass(5000);
    expect(told()).toEqual(["pi1 page"]);
  });
  test("that took a node's name and address with another serial is forgotten, and the node is not", async () => {
    for (const [gone, left] of [
      ["z1", ["192.168.1.1"]],
      ["pi1", ["192.168.1.1", "192.168.1.1"]],
    ] as const) {
      const { discovery, nodes, places, pass } = start();
      nodes.answer("pi1", pageAt(1));
      discovery.see(sightingOf("pi1", 1, { instance: "z1", serial: "7", sender: "192.168.1.66" }));
      discovery.see(mine);
      await settle();
      discovery.tell({ event: "gone", instance: gone });
      await pass(5000);
      expect(places()).toEqual([...left]);
    }
  });
  test("with a node's serial does not make it forgotten when its announcement ends", async () => {
    const { discovery, told, pass } = start();
    discovery.see(labelled(mine));
    discovery.see(labelled(lie));
    await settle();
    discovery.tell({ event: "gone", instance: "pi1 (192.168.1.1)" });
    await pass(600_000);
    expect(told()).toEqual(["pi1 page", "pi1 page"]);
  });
});

test("whom looks alone have told of is forgotten when looks do not find it any more, and it is silent", async () => {
  const { discovery, nodes, told, pass } = start();
  await settle();
  discovery.find(sightingOf("pi1", 1));
  await settle();
  nodes.answer("pi1", silence);
  await pass(200_000);
  expect(told()).toEqual(["pi1 none"]);
  await pass(80_000);
  expect(told()).toEqual([]);
});

test("following ends when nobody wants it any more, and fails as the search does", async () => {
  const interrupted = start();
  interrupted.stop();
  expect(await failureOf(interrupted.following)).toEqual(new Error("enough"));
  const failing = start();
  failing.discovery.fail(new Error("no interface"));
  expect(await failureOf(failing.following)).toEqual(new Error("no interface"));
});
