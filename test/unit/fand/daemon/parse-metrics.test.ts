import { describe, expect, test } from "bun:test";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { judgeStatus } from "../../../../src/fand/daemon/judge-status.ts";
import { parseMetrics } from "../../../../src/fand/daemon/parse-metrics.ts";
import { renderMetrics } from "../../../../src/fand/daemon/render-metrics.ts";
import { fanPost, sensorPost } from "../../../../src/fand/daemon/round.ts";
import { readThrottled } from "../../../../src/fand/daemon/throttled.ts";
import { celsius, percent } from "../../../../src/fand/units.ts";

function metrics(change: { isLost?: boolean; isStalled?: boolean; isInDoubt?: boolean } = {}) {
  const settings = composeFand({}, null, startDiagnosis("fand.toml"));
  const backend = { open: () => undefined, setDuty: () => percent(60), dispose: () => undefined };
  const sensor = { read: () => ({ kind: "missing", why: "gone" }) as const, dispose: () => undefined };
  const temperature = change.isInDoubt === true ? null : celsius(48.312);
  return renderMetrics(
    {
      overrideLimit: settings.limits.override,
      sensors: settings.sensors.map((one) => ({
        ...sensorPost(one, sensor),
        temperature,
        doubt: temperature === null ? ({ kind: "missing", found: "gone" } as const) : null,
      })),
      fans: settings.fans.map((fan) => ({
        ...fanPost(fan, backend),
        temperature,
        duty: percent(60),
        ruled: percent(33.333),
        rpm: 2300,
        changes: 12,
        errors: 3,
        override: { fan: fan.name, duty: percent(60), untilSeconds: 1600 },
        isLost: change.isLost ?? false,
        turning: { stillSeconds: 0, isStalled: change.isStalled ?? false },
      })),
    },
    {
      version: "0.1.0",
      intervalSeconds: 1,
      updatedSeconds: 1_700_001_000,
      bootedAtSeconds: 1_700_000_000,
      throttling: readThrottled("50001"),
    },
  );
}
function parsed(text: string) {
  const status = parseMetrics(text);
  if (status === null) throw new Error("these are no metrics");
  return status;
}

describe("what the daemon says of itself", () => {
  test("is read as it was meant", () => {
    expect(parsed(metrics())).toEqual({
      version: "0.1.0",
      updatedSeconds: 1_700_001_000,
      intervalSeconds: 1,
      overrideLimit: 70,
      sensors: [{ name: "cpu", temperature: 48.312 }],
      fans: [
        {
          name: "fan",
          temperature: 48.312,
          duty: 60,
          wanted: 33.33,
          minimum: 30,
          rpm: 2300,
          isStalled: false,
          isLost: false,
          changes: 12,
          errors: 3,
          override: { duty: 60, untilSeconds: 1_700_001_600 },
        },
      ],
      throttledNow: ["under-voltage"],
      throttledSinceBoot: ["under-voltage", "throttled"],
    });
  });
  test("commands no terminal, and what is no number is not there", () => {
    const text = metrics()
      .replaceAll('fan="fan"', 'fan="\u001B[2Jfan"')
      .replace(/version="[^"]*"/, 'version="\u009B1m"')
      .replace("} 2300", "} NaN");
    const { fans, version } = parsed(text);
    expect(fans[0]).toMatchObject({ name: "\\u{1b}[2Jfan", rpm: null });
    expect(version).toBe("\\u{9b}1m");
  });
  test("is nothing where a file is something else", () => {
    expect(parseMetrics("")).toBeNull();
    expect(parseMetrics("node_load1 0.5\n")).toBeNull();
  });
});

describe("the state", () => {
  const at = 1_700_001_000;
  test.each([
    ["healthy", {}, at + 5, []],
    ["healthy", {}, at + 15, []],
    ["stale", {}, at + 16, []],
    ["stale", {}, at - 3600, []],
    ["unhealthy", { isLost: true }, at, ["fan fan does not follow"]],
    ["unhealthy", { isStalled: true }, at, ["fan fan does not turn"]],
    ["unhealthy", { isInDoubt: true }, at, ["sensor cpu is in doubt"]],
    ["stale", { isLost: true }, at + 60, ["fan fan does not follow"]],
  ] as const)("is %s: %p, seen at %p", (state, change, now, ailments) => {
    expect(judgeStatus(parsed(metrics(change)), now)).toMatchObject({ state, ailments: [...ailments] });
  });
  test("of a daemon that looks once a minute is not stale after half of it", () => {
    const text = metrics().replace("interval_seconds 1\n", "interval_seconds 60\n");
    expect(judgeStatus(parsed(text), at + 170).state).toBe("healthy");
    expect(judgeStatus(parsed(text), at + 190).state).toBe("stale");
  });
  test("is stale before a round was whole", () => {
    const text = metrics().replace(/^berry_fan_last_update.*\n/m, "");
    expect(judgeStatus(parsed(text), at)).toEqual({
      state: "stale",
      ageSeconds: null,
      ailments: ["no round was whole yet"],
    });
  });
});
