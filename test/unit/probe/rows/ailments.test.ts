import { describe, expect, test } from "bun:test";
import type { Health } from "../../../../src/probe/health.ts";
import { ailmentsOf } from "../../../../src/probe/rows/ailments.ts";
import { healthy } from "../../../fixtures/probe-values.ts";

const fan = { name: "fan0", dutyRatio: 0.6, rpm: 0, isStalled: true };
const gib = 1024 ** 3;
const disk = (percent: number) => ({ size: 100 * gib, available: (100 - percent) * gib, isReadOnly: false });

const cases: readonly (readonly [what: string, Partial<Health>, ailments: readonly string[]])[] = [
  ["a healthy node", {}, []],
  ["74.9 °C", { temperature: 74.9 }, []],
  ["75 °C", { temperature: 75 }, ["warning warm: 75 °C"]],
  ["79.94 °C, as it is shown", { temperature: 79.94 }, ["warning warm: 79.9 °C"]],
  ["79.96 °C, which is shown as 80.0", { temperature: 79.96 }, ["critical hot: 80 °C"]],
  [
    "temperatures that cannot be",
    { temperature: null, isTemperatureAbsurd: true },
    ["warning its temperature makes no sense"],
  ],
  [
    "a daemon whose last word is of the future",
    { fanUpdated: 1031, now: 1000 },
    ["critical last word of its fan daemon is of the future"],
  ],
  ["80 °C", { temperature: 80 }, ["critical hot: 80 °C"]],
  [
    "too little voltage now",
    { throttled: ["under-voltage"], throttledSinceBoot: ["under-voltage", "throttled"] },
    [
      "critical slowed down by its firmware: under-voltage",
      "warning slowed down since it was started: throttled",
    ],
  ],
  ["a fan that is told to turn and does not", { fans: [fan] }, ["critical fan0 stands still at 60 %"]],
  ["a fan at rest", { fans: [{ ...fan, dutyRatio: 0, isStalled: false }] }, []],
  ["a daemon that was silent for 30 s", { fanUpdated: 1000, now: 1030 }, []],
  [
    "a daemon that was silent for longer",
    { fanUpdated: 1000, now: 1031 },
    ["critical fan daemon has been silent for 31 s"],
  ],
  ["a node without a fan daemon", { fanUpdated: null, fans: [] }, []],
  [
    "a sensor in doubt",
    { doubtfulSensors: ["cpu"] },
    ["warning sensor cpu is in doubt, its fans run at full speed"],
  ],
  ["a disk that is 89 % full", { disk: disk(89) }, []],
  ["a disk that is 90 % full", { disk: disk(90) }, ["warning disk is 90 % full"]],
  ["a disk that is 97 % full", { disk: disk(97) }, ["critical disk is 97 % full"]],
  [
    "a root file system that may not be written to",
    { disk: { ...disk(10), isReadOnly: true } },
    ["critical root file system is read-only"],
  ],
  ["5 % of memory available", { memory: { total: 100 * gib, available: 5 * gib } }, []],
  [
    "less memory",
    { memory: { total: 100 * gib, available: 4.9 * gib } },
    ["warning 4.9 % of memory is available"],
  ],
  ["a clock that runs free", { isClockSynchronised: false }, ["warning clock is not synchronised"]],
  [
    "units that failed",
    { failedUnits: ["a.service", "b.service", "c.service", "d.service"] },
    ["warning failed: a.service, b.service, c.service and 1 more"],
  ],
  [
    "the worst first",
    { isClockSynchronised: false, temperature: 90 },
    ["critical hot: 90 °C", "warning clock is not synchronised"],
  ],
];

describe("what is wrong with a node", () => {
  test.each(cases)("%s", (_, changes, ailments) => {
    const found = ailmentsOf({ ...healthy, ...changes });
    expect(found.map(({ severity, what }) => `${severity} ${what}`)).toEqual([...ailments]);
  });
  test("a page that says nothing is not wrong", () => {
    const nothing = Object.fromEntries(
      Object.entries(healthy).map(([key, value]) => [
        key,
        Array.isArray(value) ? [] : typeof value === "boolean" ? false : null,
      ]),
    ) as unknown as Health;
    expect(ailmentsOf({ ...nothing, throttled: null, isClockSynchronised: null })).toEqual([]);
  });
});
