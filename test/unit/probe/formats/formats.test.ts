import { describe, expect, test } from "bun:test";
import { renderAnsible } from "../../../../src/probe/formats/ansible.ts";
import { renderHosts } from "../../../../src/probe/formats/hosts.ts";
import { renderNames } from "../../../../src/probe/formats/names.ts";
import { renderPromSd } from "../../../../src/probe/formats/prom-sd.ts";
import { harmlessJson, rowObject } from "../../../../src/probe/formats/row-object.ts";
import { renderSshConfig } from "../../../../src/probe/formats/ssh-config.ts";
import type { Answer } from "../../../../src/probe/health.ts";
import type { Row } from "../../../../src/probe/row.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { rowsOf } from "../../../../src/probe/rows/rows-of.ts";
import { hostileRows, hostileTexts } from "../../../fixtures/hostile-rows.ts";
import { pageAt, sightingOf, silence } from "../../../fixtures/probe-values.ts";

const lives = (host: string, number: number, changes: Partial<Sighting> = {}) => ({
  sighting: sightingOf(host, number, changes),
  answer: pageAt(number, { hostName: host }),
});
const six = { addresses: [{ address: "fd00::2", family: 6, zone: "eth0" }] } as const;
const linkLocal = { addresses: [{ address: "fe80::9", family: 6, zone: "eth0" }] } as const;
const rows = rowsOf(
  [
    lives("pi1", 1, { role: "server" }),
    lives("pi2", 2, six),
    { sighting: sightingOf("pi3", 3), answer: silence },
    lives("pi4", 4, linkLocal),
  ],
  ["pi1", "pi2", "pi3", "pi4", "pi5"].map((name) => ({ name, role: "node" })),
);
const users = [
  { name: "pi1", user: "chaney" },
  { name: "pi3", user: "other" },
];
const noAddress = ["pi4: it has no address that can be routed"];
const noAnswer = "pi3: it does not answer";

describe("the nodes", () => {
  test("as targets of Prometheus: addresses alone, the dead ones, too", () => {
    const { text, leftOut } = renderPromSd(rows);
    const model = "Raspberry Pi 4 Model B Rev 1.4";
    expect(JSON.parse(text)).toEqual([
      {
        targets: ["192.168.1.1:9100"],
        labels: { node: "pi1", serial: "10000000a1b2c301", model, role: "server" },
      },
      {
        targets: ["[fd00::2]:9100"],
        labels: { node: "pi2", serial: "10000000a1b2c302", model, role: "node" },
      },
      {
        targets: ["192.168.1.3:9100"],
        labels: { node: "pi3", serial: "10000000a1b2c303", model, role: "node" },
      },
    ]);
    expect(leftOut).toEqual(noAddress);
  });
  test("as lines of /etc/hosts", () => {
    expect(renderHosts(rows)).toEqual({
      text: "192.168.1.1\tpi1\nfd00::2\tpi2\n",
      leftOut: [noAnswer, ...noAddress],
    });
  });
  test("as hosts of ssh, with the users of berry.toml", () => {
    expect(renderSshConfig(rows, users).text).toBe(
      [
        "Host pi1",
        "    HostName 192.168.1.1",
        "    HostKeyAlias pi1",
        "    User chaney",
        "",
        "Host pi2",
        "    HostName fd00::2",
        "    HostKeyAlias pi2",
        "",
      ].join("\n"),
    );
  });
  test("as an inventory of Ansible, with a group for each role", () => {
    expect(renderAnsible(rows, users).text).toBe(
      [
        "[berry_nodes]",
        `pi1 ansible_host=192.168.1.1 ansible_user=chaney berry_serial='"10000000a1b2c301"'`,
        `pi2 ansible_host=fd00::2 berry_serial='"10000000a1b2c302"'`,
        "",
        "[role_node]",
        "pi2",
        "",
        "[role_server]",
        "pi1",
        "",
      ].join("\n"),
    );
    expect(renderAnsible([], []).text).toBe("");
  });
  test("as names", () => {
    expect(renderNames(rows).text).toBe("pi1\npi2\npi3\npi4\npi5\n");
  });
  test("as JSON, in which every key is always there", () => {
    const keys = rows.map((row) => Object.keys(rowObject(row)).join());
    expect(new Set(keys).size).toBe(1);
    expect(rows.map(rowObject)[0]).toMatchObject({
      name: "pi1",
      state: "alive",
      known: true,
      temperature_celsius: 52.6,
      fans: [{ name: "fan", duty_ratio: 0.4, rpm: 2150, stalled: false }],
      uptime_seconds: 5400,
    });
  });
  test("as JSON, in which units that nobody knows of are not none", () => {
    const late = { ...pageAt(1, { failedUnits: null }), isLate: true } as Answer;
    const silent: Answer = { answer: "none", why: "no answer within 1 s", isLate: true };
    const found = [late, silent].map((answer, index) => ({
      sighting: sightingOf(`pi${index}`, index),
      answer,
    }));
    expect(rowsOf(found, null).map(rowObject)).toMatchObject([
      { failed_units: null, health: "ok", answer: { answer: "page", milliseconds: 12 } },
      { failed_units: null, health: null },
    ]);
    expect(rowsOf(found, null).map((row) => rowObject(row).answer)).toEqual([
      { answer: "page", milliseconds: 12, address: "192.168.1.1" },
      { answer: "none", why: "no answer within 1 s" },
    ]);
    expect(rowObject(rows[0] as Row).failed_units).toEqual([]);
  });
});

describe("who is left out of files that other programs believe", () => {
  test("is told", () => {
    const found = rowsOf(
      [lives("pi1", 1), lives("pi1", 2), lives("guest", 3)],
      [{ name: "pi1", role: "node" }],
    );
    expect(renderHosts(found)).toEqual({
      text: "",
      leftOut: ["guest: berry.toml does not know it", "pi1: two boards are called so"],
    });
    expect(renderPromSd(found).leftOut).toEqual([]);
  });
  test("is whoever claims the address of another, when Prometheus asks", () => {
    const ghost = {
      sighting: sightingOf("ghost", 7, { addresses: sightingOf("pi1", 1).addresses }),
      answer: silence,
    };
    const known = ["ghost", "pi1"].map((name) => ({ name, role: "node" }));
    const { text, leftOut } = renderPromSd(rowsOf([ghost, lives("pi1", 1)], known));
    expect(JSON.parse(text)).toHaveLength(1);
    expect(text).toContain('"node": "pi1"');
    expect(leftOut).toEqual(["ghost: another node has its address"]);
  });
});

describe("who is announced and does not answer", () => {
  const dead = { sighting: sightingOf("pi3", 3), answer: silence };
  const formats = { renderHosts, renderSshConfig, renderAnsible, renderNames, renderPromSd };
  const placesOf = (found: readonly Row[]) =>
    Object.entries(formats)
      .filter(([, render]) => render(found, []).text.includes("3"))
      .map(([name]) => name);

  test("reaches no file where nothing else speaks for it, and is told", () => {
    const found = rowsOf([dead], null);
    expect(placesOf(found)).toEqual([]);
    for (const render of Object.values(formats))
      expect(render(found, []).leftOut).toEqual(["pi3: it does not answer"]);
    expect(placesOf(rowsOf([dead], []))).toEqual([]);
  });
  test("is a name of berry.toml and a target of Prometheus where berry.toml has it", () => {
    const known = [{ name: "pi3", role: "node" }];
    expect(placesOf(rowsOf([dead], known))).toEqual(["renderNames", "renderPromSd"]);
  });
  test("is so, too, where it has answered there before, or the user named it", () => {
    const before = { ...dead, answeredAt: "192.168.1.3" };
    expect(placesOf(rowsOf([before], null))).toEqual(["renderNames", "renderPromSd"]);
    expect(placesOf(rowsOf([{ ...dead, answeredAt: "192.168.1.9" }], null))).toEqual([]);
    const named = { ...dead, sighting: sightingOf("pi3", 3, { instance: null, source: "user" }) };
    expect(placesOf(rowsOf([named], null))).toEqual(["renderNames", "renderPromSd"]);
  });
});

describe("what strangers call themselves", () => {
  const hostile = hostileRows();
  const printing = /^[\x20-\x7E\t\n]*$/;
  test.each([
    ["hosts", renderHosts(hostile).text, /^(?:[0-9a-f.:]+\t[a-z0-9-]+\n)*$/],
    ["names", renderNames(hostile).text, /^(?:[a-z0-9-]+\n)*$/],
    [
      "ssh-config",
      renderSshConfig(hostile, []).text,
      /^(?:Host [a-z0-9][a-z0-9-]*\n {4}HostName [0-9a-f.:]+\n {4}HostKeyAlias [a-z0-9-]+\n\n?)*$/,
    ],
    ["ansible", renderAnsible(hostile, []).text, printing],
  ] as const)("never gets into %s", (_, text, shape) => {
    expect(text).toMatch(shape);
    for (const name of ["pi1", "pi2"]) expect(text).toContain(name);
    for (const word of ["touch", "Proxy", "lookup", "bank", "localhost", "10.6.6.6", "passwd", "%h", "*"])
      expect(text).not.toContain(word);
  });
  test("is escaped for Prometheus", () => {
    const { text } = renderPromSd(hostile);
    expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\p{Cs}/u);
    const listed = JSON.parse(text) as { targets: string[]; labels: Record<string, string> }[];
    expect(listed).toHaveLength(2 + hostileTexts.length);
    for (const { targets } of listed) expect(targets.join()).toMatch(/^[\d.]+:9100$/);
  });
  test("is escaped in JSON, and means the same", () => {
    const text = harmlessJson(hostile.map(rowObject));
    expect(text).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(hostile.map(rowObject))));
  });
  test("is told without doing harm", () => {
    for (const { leftOut } of [renderHosts(hostile), renderSshConfig(hostile, []), renderPromSd(hostile)])
      for (const who of leftOut) expect(who).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
  });
});
