import { describe, expect, test } from "bun:test";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { connectedFans, mergeFan } from "../../../../src/fand/config/cluster-fan.ts";

type Content = Readonly<Record<string, unknown>>;

const curve = [[40, 0]];

describe("a node's fan over the cluster's", () => {
  test.each<readonly [title: string, shared: Content, own: Content, merged: Content]>([
    ["is the usual one where nothing is said", {}, {}, { pin: 18, mode: "pwm" }],
    ["has the node's keys", { pin: 12, interval: 2 }, { pin: 13 }, { pin: 13, mode: "pwm", interval: 2 }],
    ["has no curve where it is switched", { curve }, { mode: "on-off" }, { pin: 18, mode: "on-off" }],
    [
      "has no thresholds where it is not",
      { mode: "on-off", on: 60 },
      { mode: "pwm" },
      { pin: 18, mode: "pwm" },
    ],
    [
      "is switched where it is a line of a chip",
      { mode: "pwm", curve, pin: 4 },
      { backend: "gpio" },
      { backend: "gpio", pin: 4 },
    ],
    ["has no pin where the kernel has it", { pin: 18 }, { backend: "hwmon" }, { backend: "hwmon" }],
    ["has no pin where a chip is named", {}, { chip: "rpipoefan" }, { chip: "rpipoefan" }],
    [
      "has no chip where the kernel has none",
      { chip: "pwmfan", channel: 2 },
      { backend: "pwm" },
      { backend: "pwm", pin: 18, mode: "pwm" },
    ],
    ["is none", { pin: 18 }, { backend: "none" }, { pin: 18, backend: "none" }],
    [
      "is several, which share what is of no fan",
      { pin: 18, curv: 1, interval: 2, limits: { override: 60 } },
      { fan: [{ pin: 4 }] },
      { interval: 2, limits: { override: 60 }, fan: [{ pin: 4 }] },
    ],
    [
      "is none where the cluster has several",
      { fan: [{ pin: 4 }] },
      { backend: "none" },
      { backend: "none" },
    ],
    [
      "has limits key by key",
      { pin: 12, limits: { override: 60, calibration: 70 } },
      { limits: { override: 65 } },
      { pin: 12, mode: "pwm", limits: { override: 65, calibration: 70 } },
    ],
    [
      "has thresholds of both",
      { pin: 4, mode: "on-off", off: 50 },
      { on: 60 },
      { pin: 4, mode: "on-off", on: 60, off: 50 },
    ],
    [
      "is several, read at another pace",
      { fan: [{ pin: 4 }] },
      { interval: 5 },
      { fan: [{ pin: 4 }], interval: 5 },
    ],
  ])("%s", (_title, shared, own, merged) => {
    const reported: string[] = [];
    expect(mergeFan(shared, own, (key) => void reported.push(key))).toEqual(merged);
    expect(reported).toEqual([]);
  });
  test("contradicts it by its own keys", () => {
    const reported: string[] = [];
    const report = (key: string, { problem }: { problem: string }, value: unknown) =>
      void reported.push(`${key}: ${problem}, got ${String(value)}`);
    const several = { fan: [{ pin: 4 }, { pin: 5 }] };
    expect(mergeFan(several, { pin: 12, interval: 2 }, report)).toEqual({ ...several, interval: 2 });
    const switched = { mode: "on-off", pin: 4, on: 60, off: 50 };
    expect(mergeFan(switched, { on: 40 }, report)).toEqual({ mode: "on-off", pin: 4, on: 40 });
    expect(mergeFan(switched, { off: 60 }, report)).toEqual({ mode: "on-off", pin: 4, off: 60 });
    expect(mergeFan(switched, { on: 40, off: 30 }, report)).toEqual({ ...switched, on: 40, off: 30 });
    expect(reported).toEqual([
      "pin: a key of one fan, and [[fan]] of the cluster lists several, got 12",
      "on: not above fan.off = 50, got 40",
      "off: not below fan.on = 60, got 60",
    ]);
  });
});

describe("the fans of a content", () => {
  test("are called as messages call them, and those without a backend left out", () => {
    const diagnosis = startDiagnosis("berry.toml");
    const content = { fan: [{ backend: "none" }, { name: "left", pin: 4, mode: "on-off" }] };
    expect(connectedFans(content, diagnosis)).toEqual([
      { path: "fan[left]", backend: "auto", pin: 4, mode: "on-off", chip: null, isInverted: false },
    ]);
    expect(diagnosis.problems).toEqual([]);
  });
});
