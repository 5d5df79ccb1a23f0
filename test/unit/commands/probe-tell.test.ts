import { describe, expect, test } from "bun:test";
import { createStyle } from "../../../src/cli/style.ts";
import { isAnybodyFound, judgeRows } from "../../../src/commands/probe/judge-rows.ts";
import { createTeller } from "../../../src/commands/probe/tell-changes.ts";
import { tellTable, tellTroubles } from "../../../src/commands/probe/tell-rows.ts";
import { cutTo, formatUptime } from "../../../src/commands/probe/tell-values.ts";
import type { Answer, Health } from "../../../src/probe/health.ts";
import { rowsOf } from "../../../src/probe/rows/rows-of.ts";
import { shortModel } from "../../../src/probe/rows/short-model.ts";
import { hostileRows } from "../../fixtures/hostile-rows.ts";
import { pageAt, sightingOf, silence } from "../../fixtures/probe-values.ts";

const plain = createStyle(false);
const node = (host: string, number: number, answer: Answer) => ({
  sighting: sightingOf(host, number),
  answer,
});
const page = (host: string, number: number, changes: Partial<Health> = {}) =>
  node(host, number, pageAt(number, { hostName: host, ...changes }));
const nodes = ["pi1", "pi2", "pi3", "pi4"].map((name) => ({ name, role: "node" }));
const rows = rowsOf(
  [
    page("pi1", 1),
    page("pi2", 2, { temperature: 81, throttled: ["under-voltage"], fans: [] }),
    node("pi3", 3, silence),
    page("guest", 9, { throttledSinceBoot: ["throttled"] }),
  ],
  nodes,
);
const table = (columns: number | null, isWide = false) =>
  tellTable(rows, { isWide, columns, style: plain }).trimEnd().split("\n");

describe("the table", () => {
  test("has a line a node, and all that matters", () => {
    expect(`\n${table(null).join("\n")}\n`).toMatchInlineSnapshot(`
      "
      NAME   STATE    MODEL      ADDRESS         TEMP            FAN  LOAD  MEMORY  DISK  THROTTLED           UPTIME  ROLE  VERSION
      guest  unknown  Pi 4B 4GB  192.168.1.9  52.6 °C  40 % 2150 rpm  0.42    18 %  31 %  was: throttled  1 h 30 min  node  0.1.0
      pi1    alive    Pi 4B 4GB  192.168.1.1  52.6 °C  40 % 2150 rpm  0.42    18 %  31 %  no              1 h 30 min  node  0.1.0
      pi2    alive    Pi 4B 4GB  192.168.1.2  81.0 °C              -  0.42    18 %  31 %  under-voltage   1 h 30 min  node  0.1.0
      pi3    dead     Pi 4B      192.168.1.3        -              -     -       -     -  -                        -  node  0.1.0
      pi4    missing  -          -                  -              -     -       -     -  -                        -  node  -
      "
    `);
  });
  test("leaves out what matters least where the terminal is narrow, and never a name or a state", () => {
    const heads = [140, 120, 100, 80, 60, 40, 20, 10].map((columns) =>
      table(columns)[0]?.split(/ {2,}/).join(" "),
    );
    expect(heads).toEqual([
      "NAME STATE MODEL ADDRESS TEMP FAN LOAD MEMORY DISK THROTTLED UPTIME ROLE VERSION",
      "NAME STATE MODEL ADDRESS TEMP FAN LOAD MEMORY DISK THROTTLED UPTIME ROLE",
      "NAME STATE ADDRESS TEMP FAN LOAD MEMORY DISK THROTTLED UPTIME",
      "NAME STATE ADDRESS TEMP FAN LOAD THROTTLED",
      "NAME STATE ADDRESS TEMP FAN",
      "NAME STATE ADDRESS TEMP",
      "NAME STATE",
      "NAME STATE",
    ]);
    for (const columns of [140, 120, 100, 80, 60, 40, 20])
      for (const line of table(columns)) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
  });
  test("leaves nothing out when it is wide", () => {
    expect(table(40, true)[0]).toEndWith("SERIAL            ALL ADDRESSES");
    expect(table(40, true)[2]).toEndWith("10000000a1b2c301  192.168.1.1 fe80::1");
  });
  test("has colours where they may be", () => {
    const coloured = tellTable(rows, { isWide: false, columns: null, style: createStyle(true) });
    expect(coloured).toContain("\u001B[32malive\u001B[39m");
    expect(coloured).toContain("\u001B[31m81.0 °C\u001B[39m");
    expect(coloured).toContain("\u001B[31mmissing\u001B[39m");
    expect(Bun.stripANSI(coloured)).toBe(tellTable(rows, { isWide: false, columns: null, style: plain }));
    expect(table(null).join("\n")).not.toContain("\u001B");
  });
  test("lets no stranger command the terminal, or take its room", () => {
    const hostile = hostileRows();
    for (const isWide of [true, false]) {
      const text = tellTable(hostile, { isWide, columns: 100, style: plain });
      expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\p{Cs}/u);
      expect(text.trimEnd().split("\n")).toHaveLength(hostile.length + 1);
    }
    for (const line of tellTroubles(hostile, plain)) expect(line).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
  });
});

test("what is wrong is told by name", () => {
  expect(tellTroubles(rows, plain)).toEqual([
    "warning guest: slowed down since it was started: throttled",
    "critical pi2: hot: 81 °C",
    "critical pi2: slowed down by its firmware: under-voltage",
    "dead pi3: no answer within 1 s",
    "missing pi4: berry.toml has it, nobody heard of it",
  ]);
});

test("whom nothing but an announcement speaks for empties no file that other programs believe", () => {
  const dead = { sighting: sightingOf("pi3", 3), answer: silence };
  const formats = ["json", "prom-sd", "hosts", "ssh-config", "ansible", "names"] as const;
  const writing = (found: typeof rows) => formats.filter((format) => isAnybodyFound(found, format));
  expect(writing(rowsOf([dead], null))).toEqual(["json"]);
  expect(writing(rowsOf([dead], [{ name: "pi3", role: "node" }]))).toEqual(["json", "prom-sd"]);
  expect(writing(rowsOf([page("pi1", 1)], null))).toEqual([...formats]);
  expect(writing(rowsOf([], [{ name: "pi3", role: "node" }]))).toEqual([]);
});

describe("the exit code", () => {
  const judge = (all: typeof rows, expect: number | null = null, shown = all) => {
    const failure = judgeRows(all, shown, expect);
    return failure === null ? null : [failure.kind, failure.message];
  };
  const well = rowsOf([page("pi1", 1), page("guest", 9, { isClockSynchronised: false })], nodes.slice(0, 1));
  test("says that all is well, warnings or not", () => {
    expect(judge(well)).toBeNull();
    expect(judge(well, 1)).toBeNull();
  });
  test("says who is not", () => {
    expect(judge(rows)).toEqual(["unhealthy", "not well: pi2 (critical), pi3 (dead), pi4 (missing)"]);
  });
  test("judges those alone whom the filter lets pass", () => {
    expect(judge(rows, null, well)).toBeNull();
    expect(judge(rows, null, [])).toBeNull();
  });
  test("does not count strangers as expected, where berry.toml says who is one", () => {
    expect(judge(well, 2)).toEqual(["temporary", "1 of 2 expected nodes live"]);
    expect(judge(rowsOf([page("pi1", 1), page("guest", 9)], null), 2)).toBeNull();
    expect(judge(rowsOf([page("pi1", 1), page("pi1", 9)], nodes.slice(0, 1)), 2)).not.toBeNull();
  });
  test("is that of one node where a liar announces each node's address once more", () => {
    const [pi1, ...others] = [page("pi1", 1), page("pi1", 1)];
    const lies = others.map((each) => ({
      ...each,
      sighting: { ...each.sighting, sender: "192.168.1.66", instance: "z1", serial: "0beef1" },
    }));
    const heard = pi1 === undefined ? lies : [pi1, ...lies];
    expect(judge(rowsOf(heard, null), 2)).toEqual(["temporary", "1 of 2 expected nodes live"]);
  });
  test("says that nobody was found", () => {
    expect(judge([])).toEqual(["unavailable", "no node was found"]);
    expect(judge(rowsOf([], nodes))).toEqual(["unavailable", "no node was found"]);
  });
  test("says that fewer live than were expected, and nothing else of them", () => {
    expect(judge(rows, 4)).toEqual(["temporary", "2 of 4 expected nodes live"]);
    expect(judge(rows, 2)).toBeNull();
    expect(judge([], 1)).toEqual(["temporary", "0 of 1 expected nodes live"]);
  });
});

describe("changes", () => {
  const one = (changes: Partial<Health> = {}) => rowsOf([page("pi1", 1, changes)], null);
  test("for people are those of state, address and health, not of each degree", () => {
    const tell = createTeller(false, plain);
    expect(tell(one())).toEqual(["pi1: alive, 192.168.1.1"]);
    expect(tell(one({ temperature: 60 }))).toEqual([]);
    expect(tell(one({ temperature: 76 }))).toEqual(["pi1: alive, 192.168.1.1\n  warning pi1: warm: 76 °C"]);
    expect(tell(one({ temperature: 77 }))).toEqual([]);
    expect(tell(rowsOf([node("pi1", 1, silence)], null))).toEqual([
      "pi1: dead, 192.168.1.1\n  dead pi1: no answer within 1 s",
    ]);
    expect(tell([])).toEqual(["pi1: gone"]);
    expect(tell([])).toEqual([]);
  });
  test("for programs are those of every value but the time", () => {
    const tell = createTeller(true, plain);
    const parse = (lines: readonly string[]) =>
      lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parse(tell(one()))).toMatchObject([{ event: "node", name: "pi1", temperature_celsius: 52.6 }]);
    expect(tell(one({ now: 1_795_405_405 }))).toEqual([]);
    expect(parse(tell(one({ temperature: 53 })))).toMatchObject([{ temperature_celsius: 53 }]);
    expect(parse(tell([]))).toEqual([{ event: "gone", name: "pi1", serial: "10000000a1b2c301" }]);
  });
});

describe("values", () => {
  test.each([
    ["Raspberry Pi 4 Model B Rev 1.4", 3.7, "Pi 4B 4GB"],
    ["Raspberry Pi 3 Model B Plus Rev 1.3", 0.9, "Pi 3B+ 1GB"],
    ["Raspberry Pi 5 Model B Rev 1.0", 7.9, "Pi 5B 8GB"],
    ["Raspberry Pi Zero 2 W Rev 1.0", 0.41, "Pi Zero 2 W 512MB"],
    ["Raspberry Pi Compute Module 4 Rev 1.0", null, "CM4"],
    ["Raspberry Pi 400 Rev 1.0", null, "Pi 400"],
    ["QEMU Virtual Machine", 2, "QEMU Virtual Machine 2GB"],
  ])("the model %s", (model, gibibytes, short) => {
    expect(shortModel(model, gibibytes === null ? null : gibibytes * 1024 ** 3)).toBe(short);
  });
  test.each([
    [null, "-"],
    [12.7, "12 s"],
    [60, "1 min"],
    [3600 * 3 + 300, "3 h 05 min"],
    [86_400 * 12 + 3600 * 4, "12 d 4 h"],
  ])("an uptime of %p s", (seconds, text) => {
    expect(formatUptime(seconds)).toBe(text);
  });
  test("a cell that is cut keeps its colour to itself", () => {
    expect(Bun.stripANSI(cutTo("\u001B[31mabcdef\u001B[39m", 4))).toBe("abc…");
    expect(cutTo("\u001B[31mabcdef\u001B[39m", 4)).toEndWith("\u001B[39m");
    expect(cutTo("abcd", 4)).toBe("abcd");
  });
});
