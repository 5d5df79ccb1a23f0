import { describe, expect, test } from "bun:test";
import type { Answer } from "../../../../src/probe/health.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { rowsOf } from "../../../../src/probe/rows/rows-of.ts";
import { healthy, pageAt, sightingOf, silence } from "../../../fixtures/probe-values.ts";

type Told = readonly [Sighting, Answer | null];
const rows = (told: readonly Told[], nodes: readonly string[] | null = null) =>
  rowsOf(
    told.map(([sighting, answer]) => ({ sighting, answer })),
    nodes?.map((name) => ({ name, role: "node" })) ?? null,
  );
const states = (told: readonly Told[], nodes: readonly string[] | null = null) =>
  rows(told, nodes).map(({ name, state }) => `${name} ${state}`);
const pageOf1 = { answer: "page", health: healthy, milliseconds: 1, address: "", slower: [] } as const;
const lives = (host: string, number: number, changes: Partial<Sighting> = {}): Told => [
  sightingOf(host, number, changes),
  pageAt(number, { hostName: host.replace(/-\d+$/, "") }),
];

describe("a row a board", () => {
  test("by name, numbers by size", () => {
    expect(states([lives("pi10", 10), lives("pi2", 2), lives("pi1", 1)])).toEqual([
      "pi1 alive",
      "pi2 alive",
      "pi10 alive",
    ]);
  });
  test("that is announced and does not answer is dead", () => {
    const [row] = rows([[sightingOf("pi1", 1), silence]]);
    expect(row).toMatchObject({ name: "pi1", state: "dead", health: null, answer: silence, ailments: [] });
  });
  test("that answers something else is dead, too", () => {
    const garbage: Answer = { answer: "garbage", why: "answers, but is not node_exporter" };
    expect(states([[sightingOf("pi1", 1), garbage]])).toEqual(["pi1 dead"]);
  });
  test("that is still being asked has none, and is not missing", () => {
    expect(rows([[sightingOf("pi1", 1), null]], ["pi1"])).toEqual([]);
  });
  test("seen through two interfaces is one, however avahi calls it there", () => {
    const wlan = sightingOf("pi1-2", 1, {
      addresses: [{ address: "192.168.2.7", family: 4, zone: "wlan0" }],
    });
    const found = rows([lives("pi1", 1), [wlan, pageAt(1)]]);
    expect(found).toHaveLength(1);
    expect(found[0]?.addresses.map(({ address }) => address)).toEqual([
      "192.168.1.1",
      "fe80::1",
      "192.168.2.7",
    ]);
    expect(found[0]?.warnings).toEqual([]);
  });
  test("named by the user and announced is one, whose name is the announced", () => {
    const named = sightingOf("192.168.1.1", 1, { instance: null, serial: null, source: "user" });
    const found = rows([[named, pageAt(1)], lives("pi1", 1)]);
    expect(found.map(({ name, serial }) => [name, serial])).toEqual([["pi1", "10000000a1b2c301"]]);
  });
  test("named by its address alone is called as its page says", () => {
    const named = sightingOf("192.168.1.1", 1, { instance: null, serial: null, source: "user" });
    expect(states([[named, pageAt(1, { hostName: "pi1" })]], ["pi1"])).toEqual(["pi1 alive"]);
    expect(states([[named, silence]])).toEqual(["192.168.1.1 dead"]);
  });
  test("that is asked at two ports is two, for all that is known", () => {
    const named = sightingOf("127.0.0.1", 1, { instance: null, serial: null, source: "user" });
    expect(
      rows([
        [named, silence],
        [{ ...named, port: 9101 }, silence],
      ]),
    ).toHaveLength(2);
  });
  test("of the same name in another domain is another one", () => {
    const named = (host: string, number: number): Told => [
      sightingOf(host, number, { instance: null, serial: null, source: "user" }),
      silence,
    ];
    expect(states([named("pi1.example", 1), named("pi1.test", 2), named("PI1.test", 3)])).toEqual([
      "pi1 dead",
      "pi1 dead",
    ]);
  });
  test("has its addresses in order, but for those that were too slow", () => {
    const addresses = ["192.168.1.1", "10.0.0.1", "fd00::1"].map((address) => ({
      address,
      family: address.includes(":") ? (6 as const) : (4 as const),
      zone: "eth0",
    }));
    const of = (answer: Answer) =>
      rows([[sightingOf("pi1", 1, { addresses }), answer]])[0]?.addresses.map(({ address }) => address);
    expect(of({ ...pageOf1, address: "fd00::1" })).toEqual(["192.168.1.1", "10.0.0.1", "fd00::1"]);
    expect(of({ ...pageOf1, address: "10.0.0.1", slower: ["192.168.1.1"] })).toEqual([
      "10.0.0.1",
      "fd00::1",
      "192.168.1.1",
    ]);
  });
  test("with zeros for a serial, as emulators have it, is told apart by its name", () => {
    const zeros = { serial: "0000000000000000" };
    expect(
      rows([lives("pi1", 1, zeros), lives("pi2", 2, zeros)]).flatMap(({ warnings }) => warnings),
    ).toEqual([]);
    expect(states([lives("pi1", 1, zeros), lives("pi2", 2, zeros)])).toEqual(["pi1 alive", "pi2 alive"]);
  });
  test("answers for all its sightings, when one of them is answered", () => {
    const other = sightingOf("pi1", 1, { addresses: [{ address: "10.0.0.1", family: 4, zone: "eth1" }] });
    expect(states([[other, silence], lives("pi1", 1)])).toEqual(["pi1 alive"]);
    expect(rows([[other, null], lives("pi1", 1)])).toHaveLength(1);
    expect(
      rows([
        [other, null],
        [sightingOf("pi1", 1), silence],
      ]),
    ).toEqual([]);
  });
});

describe("berry.toml", () => {
  test("names who is missing, and who is not known", () => {
    expect(states([lives("pi1", 1), lives("guest", 9)], ["pi1", "pi2"])).toEqual([
      "guest unknown",
      "pi1 alive",
      "pi2 missing",
    ]);
    expect(rows([lives("guest", 9)], []).map(({ isKnown }) => isKnown)).toEqual([false]);
    expect(rows([lives("guest", 9)]).map(({ isKnown }) => isKnown)).toEqual([null]);
  });
  test("is matched without regard to case", () => {
    expect(states([lives("PI1", 1)], ["pi1"])).toEqual(["pi1 alive"]);
  });
  test("knows a node whose name avahi had to change, when it is the only one of its name", () => {
    expect(states([lives("pi1-2", 1)], ["pi1"])).toEqual(["pi1 alive"]);
  });
  test("knows a node that is called like a second one", () => {
    expect(states([[sightingOf("web-2", 1), pageAt(1, { hostName: "web-2" })]], ["web-2"])).toEqual([
      "web-2 alive",
    ]);
  });
  test("gives a role to who announces none, and wonders at another", () => {
    const found = rowsOf(
      [
        { sighting: sightingOf("pi1", 1, { role: null }), answer: silence },
        { sighting: sightingOf("pi2", 2, { role: "toaster" }), answer: silence },
      ],
      [
        { name: "pi1", role: "server" },
        { name: "pi2", role: "node" },
      ],
    );
    expect(found.map(({ role, warnings }) => [role, warnings])).toEqual([
      ["server", []],
      ["toaster", ["its role is toaster, in berry.toml it is node"]],
    ]);
  });
});

describe("what cannot all be true is told", () => {
  test("two boards of one name on one network are two rows", () => {
    const found = rows([lives("pi1", 1), lives("pi1-2", 2)], ["pi1"]);
    expect(found.map(({ name, state, warnings }) => [name, state, warnings])).toEqual([
      ["pi1", "alive", ["another board calls itself pi1, too: serial 10000000a1b2c302"]],
      ["pi1-2", "unknown", ["another board calls itself pi1, too: serial 10000000a1b2c301"]],
    ]);
  });
  test("and so are two of one name on two networks", () => {
    const found = rows([lives("pi1", 1), lives("pi1", 2)]);
    expect(found.map(({ name, serial }) => [name, serial])).toEqual([
      ["pi1", "10000000a1b2c301"],
      ["pi1", "10000000a1b2c302"],
    ]);
    expect(found.every(({ warnings }) => warnings.length === 1)).toBe(true);
  });
  test("one serial under two names is two rows: one of them lies", () => {
    const serial = "10000000a1b2c301";
    const found = rows([lives("pi1", 1), lives("evil", 66, { serial })]);
    expect(found.map(({ name, warnings }) => [name, warnings])).toEqual([
      ["evil", ["pi1 claims the same serial: a copy, or a lie"]],
      ["pi1", ["evil claims the same serial: a copy, or a lie"]],
    ]);
  });
  test("a board that was renamed is one row, as long as its address is the same", () => {
    const old: Told = [sightingOf("old", 1), pageAt(1, { hostName: "pi1" })];
    expect(rows([lives("pi1", 1), old])).toHaveLength(1);
  });
  test("an address that was passed on answers for its owner alone", () => {
    const ghost: Told = [sightingOf("gone", 7, { addresses: sightingOf("pi1", 1).addresses }), pageAt(1)];
    const found = rows([lives("pi1", 1), ghost]);
    expect(found.map(({ name, state, answer }) => [name, state, answer?.answer])).toEqual([
      ["gone", "dead", "none"],
      ["pi1", "alive", "page"],
    ]);
  });
  test("a page of another machine", () => {
    const [row] = rows([[sightingOf("pi1", 1), pageAt(1, { hostName: "router" })]]);
    expect(row?.warnings).toEqual(["it is announced as pi1, and its page is that of router"]);
  });
});
