import { describe, expect, test } from "bun:test";
import { renderPromSd } from "../../../../src/probe/formats/prom-sd.ts";
import { renderHosts } from "../../../../src/probe/formats/hosts.ts";
import { renderSshConfig } from "../../../../src/probe/formats/ssh-config.ts";
import type { Answer } from "../../../../src/probe/health.ts";
import type { Heard } from "../../../../src/probe/rows/group-sightings.ts";
import { rowsOf } from "../../../../src/probe/rows/rows-of.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { pageAt, sightingOf, silence } from "../../../fixtures/probe-values.ts";

const liar = "192.168.1.66";
const v4 = (address: string) => ({ address, family: 4, zone: "eth0" }) as const;
/** A node as it speaks of itself, from its own address. */
const honest = (number: number): Heard => ({
  sighting: sightingOf(`pi${number}`, number, { sender: `192.168.1.${number}` }),
  answer: pageAt(number, { hostName: `pi${number}`, bootTime: 1_795_400_000 + number }),
});
/** What the liar says. */
const lie = (host: string, changes: Partial<Sighting>, answer: Answer = silence): Heard => ({
  sighting: sightingOf(host, 66, { sender: liar, serial: null, role: "evil", ...changes }),
  answer,
});
/** The liar's own page, under any name. */
const pageOfLiar = (hostName: string) => pageAt(66, { hostName, bootTime: 1 });
const serial = "10000000a1b2c301";
const far = Array.from({ length: 16 }, (_, number) => v4(`10.0.0.${number + 1}`));
const ofPi1 = sightingOf("pi1", 1).addresses;
const pageOfPi1 = honest(1).answer ?? silence;

const lies: readonly (readonly [string, Heard])[] = [
  [
    "its address beside its own, as somebody else",
    lie("evil", { addresses: [v4(liar), v4("192.168.1.1")] }, pageOfPi1),
  ],
  ["its address, as somebody else", lie("evil", { addresses: [v4("192.168.1.1")] }, pageOfPi1)],
  [
    "its address and serial, as somebody else",
    lie("evil", { addresses: [v4("192.168.1.1")], serial }, pageOfPi1),
  ],
  [
    "its address, with a serial of its own",
    lie("evil", { addresses: [v4("192.168.1.1")], serial: "66" }, pageOfPi1),
  ],
  ["its address, as another node", lie("pi2", { addresses: [v4("192.168.1.1")] }, pageOfPi1)],
  ["its address, as a node that is missing", lie("pi3", { addresses: [v4("192.168.1.1")] }, pageOfPi1)],
  ["its name and serial, where nobody answers", lie("pi1", { addresses: far, serial })],
  ["its name, where nobody answers", lie("pi1", { addresses: far })],
  ["its name and serial, at a port where nobody answers", lie("pi1", { addresses: ofPi1, serial, port: 9 })],
  [
    "its name and serial, with a page of another name",
    lie("pi1", { addresses: [v4(liar)], serial }, pageOfLiar("evil")),
  ],
  [
    "its name, with another serial and page",
    lie("pi1", { addresses: [v4(liar)], serial: "66" }, pageOfLiar("evil")),
  ],
  ["its name, with another serial and no page", lie("pi1", { addresses: [v4(liar)], serial: "66" })],
  ["its second name and its serial", lie("pi1-2", { addresses: [v4(liar)], serial }, pageOfLiar("evil"))],
];
const expected = ["pi1", "pi2", "pi3"].map((name) => ({ name, role: "node" }));

function permutations<Of>(values: readonly Of[]): readonly (readonly Of[])[] {
  if (values.length < 2) return [values];
  return values.flatMap((value, index) =>
    permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]),
  );
}

describe("a liar takes nothing of a node that answers by its own name, whoever is heard first", () => {
  test.each(lies)("claiming %s", (_, told) => {
    const heard = [honest(1), honest(2), told];
    const [first, ...others] = permutations(heard).map((each) => rowsOf(each, expected));
    for (const other of others) expect(other).toEqual(first ?? []);
    const rows = first ?? [];
    const of = (name: string) => rows.filter((row) => row.name === name);
    expect(of("pi1")).toMatchObject([{ state: "alive", isKnown: true, serial, role: "node", port: 9100 }]);
    expect(of("pi1")[0]?.addresses).toEqual(ofPi1);
    expect(of("pi2").map(({ state }) => state)).toEqual(["alive"]);
    expect(of("pi3").map(({ state }) => state)).toEqual(["missing"]);
    expect(renderSshConfig(rows, []).text).toContain("Host pi1\n    HostName 192.168.1.1\n");
    expect(renderHosts(rows).text).toBe("192.168.1.1\tpi1\n192.168.1.2\tpi2\n");
    const targets = JSON.parse(renderPromSd(rows).text) as readonly {
      readonly targets: readonly string[];
      readonly labels: Readonly<Record<string, string>>;
    }[];
    expect(targets.filter(({ labels }) => labels["node"] === "pi1").map((each) => each.targets)).toEqual([
      ["192.168.1.1:9100"],
    ]);
    const isTold =
      (of("pi1")[0]?.warnings.length ?? 0) > 0 || of("evil").some(({ state }) => state === "dead");
    expect(isTold).toBe(true);
  });
});

test.each(lies)("and without berry.toml, too: claiming %s", (_, told) => {
  const [first, ...others] = permutations([honest(1), honest(2), told]).map((each) => rowsOf(each, null));
  for (const other of others) expect(other).toEqual(first ?? []);
  const rows = (first ?? []).filter(({ name }) => name === "pi1");
  expect(rows).toMatchObject([{ state: "alive", serial, role: "node", addresses: ofPi1 }]);
});

test("two machines that both answer as pi1 are two rows with a warning, and no name in files", () => {
  const told = lie("pi1", { addresses: [v4(liar), ...ofPi1], serial }, pageOfLiar("pi1"));
  for (const heard of permutations([honest(1), told, honest(2)])) {
    const rows = rowsOf(heard, expected);
    expect(rows.map(({ name }) => name)).toEqual(["pi1", "pi1", "pi2", "pi3"]);
    expect(rows.slice(0, 2).every(({ warnings }) => warnings.length > 0)).toBe(true);
    expect(renderSshConfig(rows, []).leftOut).toContain("pi1: two boards are called so");
    expect(renderPromSd(rows).text).toContain('"192.168.1.1:9100"');
  }
});

test("a page that confirms a node of berry.toml gives it its name, though it is announced as another", () => {
  const told = lie("evil", { addresses: [v4("192.168.1.1")] }, pageOfPi1);
  expect(rowsOf([told], expected).map(({ name, state, warnings }) => [name, state, warnings])).toEqual([
    [
      "pi1",
      "alive",
      ["it is announced as evil, and its page is that of pi1", "its role is evil, in berry.toml it is node"],
    ],
    ["pi2", "missing", []],
    ["pi3", "missing", []],
  ]);
});

test("one machine on two networks, by its page, is one row", () => {
  const there = lie(
    "pi1",
    {
      sender: "10.0.0.1",
      serial,
      role: "node",
      addresses: [{ address: "10.0.0.1", family: 4, zone: "wlan0" }],
    },
    pageOfPi1,
  );
  const rows = rowsOf([honest(1), there], expected.slice(0, 1));
  expect(rows.map(({ warnings }) => warnings)).toEqual([[]]);
});

test("Prometheus watches the one of two that answers, where no page says which of them is pi1", () => {
  const silentOne = lie("pi1", { addresses: [v4(liar)], serial: "66" });
  const rows = rowsOf([silentOne, { ...honest(1), answer: pageAt(1, { hostName: null }) }], expected);
  expect(rows.map(({ name }) => name)).toEqual(["pi1", "pi1", "pi2", "pi3"]);
  const { text, leftOut } = renderPromSd(rows);
  expect(JSON.parse(text)).toMatchObject([{ targets: ["192.168.1.1:9100"] }]);
  expect(leftOut).toEqual(["pi1: another board of this name answers"]);
});

describe("a liar with a serial of its own for the address and name of a node", () => {
  const told = (host: string, changes: Partial<Sighting> = {}) =>
    lie(host, { serial: "0beef1", model: "Evil", addresses: [v4("192.168.1.1")], ...changes }, pageOfPi1);
  const labelsOf = (heard: readonly Heard[], nodes: typeof expected | null) =>
    (JSON.parse(renderPromSd(rowsOf(heard, nodes)).text) as readonly { readonly labels: unknown }[]).map(
      ({ labels }) => labels,
    );
  const own = { node: "pi1", serial, model: "Raspberry Pi 4 Model B Rev 1.4", role: "node" };

  test.each([
    ["from elsewhere", told("pi1")],
    ["beside its own address", told("pi1", { addresses: [v4(liar), v4("192.168.1.1")] })],
    ["under the second name that avahi gives", told("pi1-2")],
  ])("makes no second row: %s", (_, evil) => {
    for (const heard of permutations([honest(1), honest(2), evil]))
      for (const nodes of [expected.slice(0, 2), null]) {
        const rows = rowsOf(heard, nodes);
        expect(rows.map(({ name, state }) => [name, state])).toEqual([
          ["pi1", "alive"],
          ["pi2", "alive"],
        ]);
        expect(rows[0]).toMatchObject({ serial, role: "node", model: own.model, addresses: ofPi1 });
        expect(rows.map(({ warnings }) => warnings)).toEqual([
          [`${liar} announces its address with another serial, too: 0beef1`],
          [],
        ]);
        expect(renderSshConfig(rows, []).text).toContain("Host pi1\n    HostName 192.168.1.1\n");
        expect(labelsOf(heard, nodes)[0]).toEqual(own);
      }
  });
  test("makes none while one of them is being asked, or does not answer", () => {
    const asks = [silence, null, pageOfPi1];
    for (const ofOwner of asks)
      for (const ofLiar of asks)
        for (const heard of permutations([
          { ...honest(1), answer: ofOwner },
          { ...told("pi1"), answer: ofLiar },
        ]))
          expect(rowsOf(heard, null).map((row) => row.serial)).toEqual(
            (ofOwner === null && ofLiar !== pageOfPi1) || (ofLiar === null && ofOwner !== pageOfPi1)
              ? []
              : [serial],
          );
  });
  test("makes none of a node that has died since", () => {
    const died = (heard: Heard): Heard => ({ ...heard, answer: silence, answeredAt: "192.168.1.1" });
    const evil = told("pi1", { addresses: [v4(liar), v4("192.168.1.1")] });
    for (const heard of permutations([died(honest(1)), died(evil)]))
      expect(labelsOf(heard, null)).toEqual([own]);
  });
  test("does not take its page by the name that the page has", () => {
    const renamed: Heard = { ...honest(1), answer: pageAt(1, { hostName: "attic" }) };
    const evil: Heard = { ...told("attic"), answer: renamed.answer };
    for (const heard of permutations([renamed, evil])) {
      const rows = rowsOf(heard, null);
      expect(rows).toMatchObject([{ name: "pi1", state: "alive", serial }]);
      expect(rows[0]?.warnings).toContain(`${liar} announces its address as that of attic`);
    }
  });
  test("shares one row with it where nobody speaks from there: whoever was heard first keeps it", () => {
    const one: Heard = { ...told("pi1"), sighting: { ...told("pi1").sighting, sender: "192.168.1.67" } };
    const other: Heard = { ...one, sighting: { ...one.sighting, sender: liar, serial: "7" } };
    const told7 = `${liar} announces its address with another serial, too: 7`;
    expect(rowsOf([one, other], null)).toMatchObject([{ serial: "0beef1", warnings: [told7] }]);
    expect(rowsOf([other, one], null)).toMatchObject([{ serial: "7" }]);
  });
});

test("a node that announces two serials of itself is one row, and is told of", () => {
  const old: Heard = { ...honest(1), sighting: { ...honest(1).sighting, instance: "old", serial: "7" } };
  const rows = rowsOf([honest(1), old], null);
  expect(rows).toMatchObject([
    { serial, warnings: ["it announces its address with another serial, too: 7"] },
  ]);
});

test("two machines behind one address are told apart by their ports", () => {
  const other = sightingOf("pi1", 1, { sender: "192.168.1.1", port: 9101, serial: "7" });
  const rows = rowsOf([honest(1), { sighting: other, answer: pageOfPi1 }], null);
  expect(new Set(rows.map(({ port }) => port))).toEqual(new Set([9100, 9101]));
});
