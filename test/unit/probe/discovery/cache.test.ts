import { describe, expect, test } from "bun:test";
import {
  cacheExpire,
  cacheForget,
  cacheMissing,
  cacheSightings,
  cacheUpdate,
  emptyCache,
  maximumRecords,
  maximumRecordsOfSource,
  type Cache,
} from "../../../../src/probe/discovery/cache.ts";
import { cacheDueAt, cacheRefresh, knownAnswers } from "../../../../src/probe/discovery/refresh.ts";
import { decodeMessage } from "../../../../src/probe/discovery/message.ts";
import type { SightingEvent } from "../../../../src/probe/sighting.ts";
import { answerPacket, type AnswerOptions, readCaptures } from "../../../fixtures/mdns-packets.ts";

interface Told {
  readonly options?: AnswerOptions;
  readonly packet?: Uint8Array;
  readonly link?: string;
  readonly source?: string;
  readonly at?: number;
}

/** Tells a cache one packet after the other. */
function tell(before: Cache, ...told: readonly Told[]): { cache: Cache; events: SightingEvent[] } {
  let cache = before;
  const events: SightingEvent[] = [];
  for (const { options = {}, packet, link = "eth0", source = "192.168.1.11", at = 0 } of told) {
    const message = decodeMessage(packet ?? answerPacket(options));
    if (message === null) throw new Error("the test sends what cannot be read");
    const change = cacheUpdate(cache, { message, link, source, jitter: 0 }, at);
    cache = change.cache;
    events.push(...change.events);
  }
  return { cache, events };
}

const brief = (events: readonly SightingEvent[]) =>
  events.map((event) =>
    event.event === "gone"
      ? `gone ${event.instance}`
      : `seen ${event.sighting.instance} ${event.sighting.addresses.map(({ address }) => address).join(" ")}`,
  );
const namesOf = (cache: Cache) =>
  cacheSightings(cache).map(({ instance, serial }) => `${instance}: ${serial}`);

describe("an answer", () => {
  test("gives a sighting with all that it says", () => {
    const { cache, events } = tell(emptyCache, {
      options: { addresses: ["fe80::11", "192.168.1.11", "fd00::11", "127.0.0.1"] },
    });
    const sighting = {
      instance: "berry on pi1",
      host: "pi1",
      addresses: [
        { address: "192.168.1.11", family: 4, zone: "eth0" },
        { address: "fd00::11", family: 6, zone: "eth0" },
        { address: "fe80::11", family: 6, zone: "eth0" },
      ],
      port: 9100,
      serial: "10000000a1b2c301",
      model: "Raspberry Pi 4 Model B Rev 1.4",
      role: "server",
      version: "0.1.0",
      source: "mdns",
      sender: "192.168.1.11",
    } as const;
    expect(events).toEqual([{ event: "seen", sighting }]);
    expect(cacheSightings(cache)).toEqual([sighting]);
  });

  test("that says nothing new is no event", () => {
    expect(tell(emptyCache, {}, {}, { at: 5000 }).events).toHaveLength(1);
  });

  test("in pieces gives a sighting when it can be reached, and says what lacks until then", () => {
    const first = tell(emptyCache, { options: { without: ["SRV", "A"], txt: null } });
    expect(first.events).toEqual([]);
    expect(cacheMissing(first.cache)).toEqual([
      { name: "berry on pi1._berry._tcp.local", type: "SRV" },
      { name: "berry on pi1._berry._tcp.local", type: "TXT" },
    ]);
    const second = tell(first.cache, { options: { without: ["PTR", "A"], txt: null } });
    expect(cacheMissing(second.cache)).toContainEqual({ name: "pi1.local", type: "AAAA" });
    const third = tell(second.cache, { options: { without: ["PTR", "SRV"], txt: null } });
    expect(third.events).toHaveLength(1);
    const fourth = tell(third.cache, { options: { without: ["PTR", "SRV", "A"] } });
    expect(fourth.events).toMatchObject([{ event: "seen", sighting: { serial: "10000000a1b2c301" } }]);
    expect(cacheMissing(fourth.cache)).toEqual([]);
  });

  test("counts whatever the case of its names and keys, and the first of two keys counts", () => {
    const options = { host: "PI1", txt: ["Serial=a1", "serial=a2", "flag", "=x", "role="] };
    const { cache } = tell(emptyCache, { options });
    expect(cacheSightings(cache)).toMatchObject([{ host: "PI1", serial: "a1", role: null, model: null }]);
    expect(tell(cache, { options: { ...options, host: "pi1" } }).events).toEqual([]);
  });

  test("without a port or with a name outside of .local is none", () => {
    expect(tell(emptyCache, { options: { port: 0 } }).events).toEqual([]);
    expect(tell(emptyCache, { options: { addresses: ["224.0.0.1", "::1"] } }).events).toEqual([]);
  });

  test("about other services and hosts is not kept", () => {
    const { cache } = tell(emptyCache, { options: { without: ["PTR", "SRV"], txt: null } });
    expect(cache.size).toBe(0);
  });
});

describe("one instance", () => {
  test("that is heard in both families and on two interfaces is one sighting of all addresses", () => {
    const { cache } = tell(
      emptyCache,
      { options: { addresses: ["192.168.1.11", "fd00::11"] } },
      { options: { addresses: ["fd00::11", "fe80::11"] }, source: "fe80::11%eth0" },
      { options: { addresses: ["192.168.1.11", "fe80::11"] }, link: "wlan0" },
    );
    expect(cacheSightings(cache).map(({ addresses }) => addresses)).toEqual([
      [
        { address: "192.168.1.11", family: 4, zone: "eth0" },
        { address: "fd00::11", family: 6, zone: "eth0" },
        { address: "fe80::11", family: 6, zone: "eth0" },
        { address: "fe80::11", family: 6, zone: "wlan0" },
      ],
    ]);
  });

  test("of two boards is two sightings, which keep their names when one of them is gone", () => {
    const other = { txt: ["serial=10000000ffffffff"], addresses: ["10.0.0.11"] };
    const both = tell(emptyCache, {}, { options: other, link: "eth1", source: "10.0.0.11" });
    expect(brief(both.events)).toEqual([
      "seen berry on pi1 192.168.1.11",
      "seen berry on pi1 (10.0.0.11) 10.0.0.11",
    ]);
    const one = cacheForget(both.cache, "eth0");
    expect(brief(one.events)).toEqual(["gone berry on pi1"]);
    expect(namesOf(one.cache)).toEqual(["berry on pi1 (10.0.0.11): 10000000ffffffff"]);
    expect(namesOf(tell(one.cache, {}).cache).toSorted()).toEqual([
      "berry on pi1 (10.0.0.11): 10000000ffffffff",
      "berry on pi1: 10000000a1b2c301",
    ]);
  });

  test("and one serial, claimed by a liar, is two sightings with its own addresses each", () => {
    const far = Array.from({ length: 16 }, (_, number) => `10.0.0.${number + 1}`);
    for (const [index, addresses] of [
      ["192.168.1.66"],
      far,
      ["192.168.1.11", ...far],
      ["192.168.1.66", "192.168.1.11"],
    ].entries()) {
      const lie = { options: { addresses, flush: true }, source: "192.168.1.66" };
      const cache = [tell(emptyCache, {}, lie), tell(emptyCache, lie, {})].map((each) => each.cache);
      const mine = cache.map((each) => cacheSightings(each).find(({ sender }) => sender === "192.168.1.11"));
      expect([index, ...mine.map((each) => each?.addresses.map(({ address }) => address))]).toEqual([
        index,
        ["192.168.1.11"],
        ["192.168.1.11"],
      ]);
      expect(cache.map((each) => cacheSightings(each).length)).toEqual([2, 2]);
      const [one, other] = cache.map((each) =>
        cacheSightings(each).map((each) => ({ ...each, instance: null })),
      );
      expect(one).toEqual(other ?? []);
    }
  });

  test("at another port is another claim", () => {
    const lie = { options: { port: 9 }, source: "192.168.1.66" };
    expect(cacheSightings(tell(emptyCache, lie, {}).cache).map(({ port }) => port)).toEqual([9100, 9]);
  });

  test("is neither taken back nor replaced by somebody else", () => {
    for (const options of [{ ttl: 0 }, { flush: true, addresses: ["192.168.1.66"] }]) {
      const { cache } = tell(emptyCache, {}, { options, source: "192.168.1.66", at: 60_000 });
      const { cache: later } = cacheExpire(cache, 62_000);
      expect(cacheSightings(later).flatMap(({ addresses }) => addresses)).toContainEqual({
        address: "192.168.1.11",
        family: 4,
        zone: "eth0",
      });
    }
  });

  test("that gives its serial later than its address is one board, under one name", () => {
    const { cache, events } = tell(emptyCache, { options: { txt: null } }, {});
    expect(namesOf(cache)).toEqual(["berry on pi1: 10000000a1b2c301"]);
    expect(events.map(({ event }) => event)).toEqual(["seen", "seen"]);
  });

  test("whose serial is not known everywhere is one board still", () => {
    const { cache } = tell(emptyCache, {}, { options: { txt: null }, source: "fe80::11%eth0" });
    expect(namesOf(cache)).toEqual(["berry on pi1: 10000000a1b2c301"]);
  });

  test("that moves is at both addresses until the old one has run out: anybody could say that it moves", () => {
    const { cache } = tell(
      emptyCache,
      { options: { flush: true } },
      { options: { flush: true, addresses: ["192.168.1.99"] }, source: "192.168.1.99", at: 60_000 },
    );
    expect(cacheSightings(cache)).toHaveLength(2);
    expect(cacheExpire(cache, 119_000).events).toEqual([]);
    expect(brief(cacheExpire(cache, 120_000).events)).toEqual(["gone berry on pi1"]);
  });

  test("that says itself that it moves is at its new address alone, a second later", () => {
    const { cache } = tell(
      emptyCache,
      { options: { flush: true } },
      { options: { flush: true, addresses: ["192.168.1.99"] }, at: 60_000 },
    );
    expect(brief(cacheExpire(cache, 61_000).events)).toEqual(["seen berry on pi1 192.168.1.99"]);
  });

  test("that is confirmed in one family does not end in the other", () => {
    const { cache } = tell(
      emptyCache,
      { options: { flush: true, addresses: ["192.168.1.11", "fd00::11"] } },
      { options: { flush: true, addresses: ["fd00::11"] }, source: "fe80::11%eth0", at: 60_000 },
    );
    expect(cacheExpire(cache, 62_000).events).toEqual([]);
  });

  test("that says several things at once does not end one of them by the other", () => {
    const { cache } = tell(
      emptyCache,
      { options: { flush: true, addresses: ["192.168.1.11"] }, at: 0 },
      { options: { flush: true, addresses: ["192.168.1.12"] }, at: 900 },
    );
    expect(cacheExpire(cache, 3000).events).toEqual([]);
  });
});

describe("a node", () => {
  test("that says goodbye is gone a second later, and not before", () => {
    const { cache, events } = tell(emptyCache, {}, { options: { ttl: 0 }, at: 10_000 });
    expect(brief(events)).toEqual(["seen berry on pi1 192.168.1.11"]);
    expect(cacheExpire(cache, 10_999).events).toEqual([]);
    expect(brief(cacheExpire(cache, 11_000).events)).toEqual(["gone berry on pi1"]);
  });

  test("that comes back within that second stays", () => {
    const { cache, events } = tell(emptyCache, {}, { options: { ttl: 0 }, at: 10_000 }, { at: 10_500 });
    expect([...events, ...cacheExpire(cache, 12_000).events]).toHaveLength(1);
  });

  test("whose goodbye was never welcomed is nothing", () => {
    expect(tell(emptyCache, { options: { ttl: 0 } }).cache.size).toBe(0);
  });

  test("that falls silent is gone when its records run out", () => {
    const { cache } = tell(emptyCache, { at: 1000 });
    expect(cacheExpire(cache, 120_999).events).toEqual([]);
    expect(brief(cacheExpire(cache, 121_000).events)).toEqual(["gone berry on pi1"]);
    expect(cacheExpire(cache, 121_000).cache.size).toBe(0);
  });

  test("that real avahi daemons announce, rename and bid farewell comes and goes", () => {
    const packets = readCaptures().filter(
      ({ how, packet }) => how === "multicast" && decodeMessage(packet) !== null,
    );
    const { cache, events } = tell(
      emptyCache,
      ...packets.map(({ packet }, index) => ({ packet, at: 100 * index })),
    );
    const seen = events.map((event) => (event.event === "seen" ? event.sighting.instance : ""));
    expect(new Set(seen)).toEqual(
      new Set(["berry on pi0", "berry on pi1", "berry on pi1-2", "berry on pi2"]),
    );
    const after = cacheExpire(cache, 100 * packets.length + 1000);
    expect(brief(after.events)).toEqual(["gone berry on pi0"]);
  });
});

describe("records are asked for again", () => {
  test("at 80, 85, 90 and 95 % of their life, and then no more", () => {
    let { cache } = tell(emptyCache, { options: { ttl: 100 } });
    for (const due of [80_000, 85_000, 90_000, 95_000]) {
      expect(cacheDueAt(cache)).toBe(due);
      expect(cacheRefresh(cache, "eth0", due - 1).questions).toEqual([]);
      expect(cacheRefresh(cache, "wlan0", due).questions).toEqual([]);
      const refresh = cacheRefresh(cache, "eth0", due);
      expect(refresh.questions.map(({ type }) => type)).toEqual(["PTR", "TXT", "SRV", "A"]);
      ({ cache } = refresh);
    }
    expect(cacheDueAt(cache)).toBe(100_000);
  });

  test("with a whole life before them when they were answered", () => {
    const { cache } = tell(emptyCache, { options: { ttl: 100 } });
    const answered = tell(cacheRefresh(cache, "eth0", 80_000).cache, { options: { ttl: 100 }, at: 80_100 });
    expect(cacheDueAt(answered.cache)).toBe(160_100);
  });

  test("and are known answers in the first half of their life", () => {
    const { cache } = tell(emptyCache, { options: { ttl: 100 } });
    expect(knownAnswers(cache, "eth0", 40_000)).toEqual([
      { target: "berry on pi1._berry._tcp.local", ttlSeconds: 60 },
    ]);
    expect(knownAnswers(cache, "wlan0", 40_000)).toEqual([]);
    expect(knownAnswers(cache, "eth0", 50_000)).toEqual([]);
  });

  test("an empty cache is never due", () => {
    expect(cacheDueAt(emptyCache)).toBe(Infinity);
  });
});

describe("a liar", () => {
  const flood = (number: number) => ({
    options: { instance: `liar ${number}`, host: `liar${number}`, addresses: ["192.168.1.66"] },
    source: "192.168.1.66",
  });

  test("that announces 10,000 instances fills its own share alone, and what is left out is counted", () => {
    let cache = emptyCache;
    for (let number = 0; number < 10_000; number += 1) ({ cache } = tell(cache, flood(number)));
    expect(cache.size).toBe(maximumRecordsOfSource);
    expect(cache.refused).toBe(40_000 - maximumRecordsOfSource);
    ({ cache } = tell(cache, {}));
    expect(namesOf(cache)).toContain("berry on pi1: 10000000a1b2c301");
  });

  test("that has many addresses cannot fill the memory, nor take the place of the others", () => {
    let cache = emptyCache;
    for (let number = 0; number < 4500; number += 1)
      ({ cache } = tell(cache, {
        options: { instance: `liar ${number}`, txt: null, without: ["SRV", "A"] },
        source: `192.168.2.${number % 20}`,
      }));
    expect(cache.size).toBe(maximumRecords / 2);
    expect(namesOf(tell(cache, {}).cache)).toContain("berry on pi1: 10000000a1b2c301");
    for (let number = 0; number < 3000; number += 1)
      ({ cache } = tell(cache, { ...flood(number), source: `192.168.${number >> 8}.${number & 255}` }));
    expect(cache.size).toBe(maximumRecords);
  }, 60_000);

  test("that gives a host a hundred addresses is listened to for sixteen", () => {
    const addresses = Array.from({ length: 100 }, (_, number) => `10.1.1.${number + 1}`);
    const { cache } = tell(emptyCache, { options: { addresses } });
    expect(cacheSightings(cache)[0]?.addresses).toHaveLength(16);
  });
});
