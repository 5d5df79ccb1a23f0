import { describe, expect, test } from "bun:test";
import type { FanBackend } from "../../../../src/fand/backends/fan-backend.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { tellEvent } from "../../../../src/fand/daemon/event.ts";
import { percent } from "../../../../src/fand/units.ts";
import { renderMetrics } from "../../../../src/fand/daemon/render-metrics.ts";
import { fanPost, type Posts, round, sensorPost } from "../../../../src/fand/daemon/round.ts";
import { readThrottled, readVoltageAlarm } from "../../../../src/fand/daemon/throttled.ts";
import { serve } from "../../../../src/fand/daemon/serve.ts";
import type { Reading } from "../../../../src/fand/sensors/judge-reading.ts";
import type { Percent } from "../../../../src/fand/units.ts";

const text = (value: string): Reading => ({ kind: "text", text: value, isFaulty: false });

/** Fans and sensors of a fand.toml that do what the test says. */
function posts(toml: string) {
  const settings = composeFand(Bun.TOML.parse(toml) as Record<string, unknown>, null, startDiagnosis("x"));
  const readings: Record<string, Reading> = Object.fromEntries(
    settings.sensors.map(({ name }) => [name, text("40000")]),
  );
  const outputs: Record<string, { calls: string[]; isBroken: boolean }> = {};
  const all: Posts = {
    overrideLimit: settings.limits.override,
    sensors: settings.sensors.map((one) =>
      sensorPost(one, { read: () => readings[one.name] ?? text(""), dispose: () => undefined }),
    ),
    fans: settings.fans.map((fan) => {
      const output = (outputs[fan.name] = { calls: [] as string[], isBroken: false });
      const backend: FanBackend = {
        open: () => void output.calls.push("open"),
        setDuty(duty): Percent {
          if (output.isBroken) throw new Error("EIO");
          output.calls.push(String(duty));
          return duty;
        },
        dispose: () => void output.calls.push("dispose"),
      };
      return fanPost(fan, backend);
    }),
  };
  const turn = (elapsed = 1) => {
    const { events, isWhole } = round(all, elapsed);
    return { lines: events.map((event) => tellEvent(event).line), isWhole };
  };
  return { all, readings, outputs, turn };
}

describe("a round", () => {
  test("reads, decides and writes, and tells what has changed alone", () => {
    const { readings, outputs, turn } = posts("start_kick = 0");
    expect(turn()).toEqual({ lines: ["fan: 100 % → 0 % at 40.0 °C"], isWhole: true });
    expect(turn()).toEqual({ lines: [], isWhole: true });
    readings["cpu"] = text("67000");
    expect(turn().lines).toEqual(["fan: 0 % → 80 % at 67.0 °C"]);
    expect(outputs["fan"]?.calls).toEqual(["0", "0", "80"]);
  });
  test("is at full speed in doubt, in the very round, and normal in the one after", () => {
    const { readings, turn } = posts("start_kick = 0");
    turn();
    readings["cpu"] = { kind: "missing", why: "no thermal zone" };
    expect(turn()).toEqual({
      lines: ["sensor cpu is missing: no thermal zone: full speed", "fan: 0 % → 100 % in doubt"],
      isWhole: true,
    });
    expect(turn().lines).toEqual([]);
    readings["cpu"] = text("40000");
    // a fan that was started turns for a while
    expect(turn().lines).toEqual(["sensor cpu is back: 40.0 °C", "fan: 100 % → 30 % at 40.0 °C"]);
  });
  test("is at full speed where the Pi itself is critical, or in doubt, whatever the fan follows", () => {
    const { all, readings, turn } = posts(`
start_kick = 0
minimum_on = 0
decay = 100
sensors = "disk"
[[sensor]]
name = "disk"
hwmon = "drivetemp"
`);
    readings["cpu"] = text("79900");
    expect(turn().lines).toEqual(["fan: 100 % → 0 % at 40.0 °C"]);
    readings["cpu"] = text("80000");
    expect(turn().lines).toEqual(["fan: 0 % → 100 % at 80.0 °C"]);
    readings["cpu"] = text("40000");
    turn();
    expect(turn().lines).toEqual([]);
    expect(all.fans[0]?.duty).toBe(0 as Percent);
    readings["cpu"] = { kind: "missing", why: "no thermal zone" };
    expect(turn().lines).toEqual([
      "sensor cpu is missing: no thermal zone: full speed",
      "fan: 0 % → 100 % in doubt",
    ]);
  });
  test("follows the hottest of a fan's sensors, and doubts for the fans of a sensor alone", () => {
    const { readings, outputs, turn } = posts(`
[[sensor]]
name = "disk"
hwmon = "drivetemp"
[[fan]]
name = "a"
sensors = ["cpu", "disk"]
start_kick = 0
[[fan]]
name = "b"
sensors = ["cpu"]
start_kick = 0
`);
    readings["disk"] = text("60000");
    turn();
    readings["disk"] = text("hot");
    turn();
    expect(outputs).toMatchObject({ a: { calls: ["50", "100"] }, b: { calls: ["0", "0"] } });
  });
  test("that cannot write is not whole; the fan is given up at full speed and taken again", () => {
    const { all, outputs, turn } = posts("");
    turn();
    const output = outputs["fan"];
    if (output === undefined) throw new Error("there is no output");
    output.isBroken = true;
    expect(turn()).toEqual({ lines: ["fan fan does not follow: EIO"], isWhole: false });
    expect(turn()).toEqual({ lines: [], isWhole: false });
    output.isBroken = false;
    expect(turn()).toEqual({ lines: ["fan fan follows again"], isWhole: true });
    expect(output.calls).toEqual(["0", "dispose", "open", "dispose", "open", "0"]);
    expect(all.fans[0]?.errors).toBe(2);
  });
});

describe("the loop", () => {
  test("keeps its pace, does not make up for a sleep, and tells which rounds were whole", async () => {
    const { all, outputs } = posts("");
    const ended = new AbortController();
    let now = 100;
    const slept: number[] = [];
    let fed = 0;
    // each round takes a quarter of a second; the third sleep takes an hour
    const clock = {
      now: () => (now += 0.125),
      async sleep(seconds: number) {
        slept.push(seconds);
        now += slept.length === 3 ? 3600 : seconds;
        if (slept.length === 5 && outputs["fan"] !== undefined) outputs["fan"].isBroken = true;
        if (slept.length === 7) ended.abort();
      },
    };
    let begun = 0;
    const listeners = {
      onEvents: () => undefined,
      onBegin: () => void (begun += 1),
      onEnd: (isWhole: boolean) => void (fed += isWhole ? 1 : 0),
    };
    await serve(all, 1, clock, listeners, ended.signal);
    expect(slept.every((seconds) => seconds <= 1)).toBe(true);
    expect({ rounds: slept.length, begun, fed }).toEqual({ rounds: 7, begun: 7, fed: 5 });
  });
});

describe("metrics", () => {
  test("are in Prometheus' text format, without a temperature that is in doubt", () => {
    const { all, readings, turn } = posts(
      '[[sensor]]\nname = "x"\nfile = "/x"\n[[fan]]\nname = "case"\nsensors = ["cpu", "x"]',
    );
    turn();
    readings["x"] = { kind: "unreadable", why: "EIO" };
    turn();
    expect(
      renderMetrics(all, {
        version: "0.1.0",
        intervalSeconds: 1,
        updatedSeconds: 1_700_000_000,
        bootedAtSeconds: 0,
        throttling: readThrottled("50005\n"),
      }),
    ).toBe(`# HELP berry_cpu_temperature_celsius Temperature by sensor; a sensor in doubt has none.
# TYPE berry_cpu_temperature_celsius gauge
berry_cpu_temperature_celsius{sensor="cpu"} 40
# HELP berry_sensor_in_doubt 1 where a sensor is not believed, and its fans run at full speed.
# TYPE berry_sensor_in_doubt gauge
berry_sensor_in_doubt{sensor="x"} 1
berry_sensor_in_doubt{sensor="cpu"} 0
# HELP berry_fan_duty_ratio Duty of the fan as its driver reads back, 0 to 1.
# TYPE berry_fan_duty_ratio gauge
berry_fan_duty_ratio{fan="case"} 1
# HELP berry_fan_rule_duty_ratio Duty that the rule of the fan asks for, 0 to 1, whatever is set by hand.
# TYPE berry_fan_rule_duty_ratio gauge
berry_fan_rule_duty_ratio{fan="case"} 1
# HELP berry_fan_minimum_duty_ratio The lowest duty that the fan turns at, 0 to 1.
# TYPE berry_fan_minimum_duty_ratio gauge
berry_fan_minimum_duty_ratio{fan="case"} 0.3
# HELP berry_fan_override_limit_celsius Above it a fan never gets less than its rule asks for.
# TYPE berry_fan_override_limit_celsius gauge
berry_fan_override_limit_celsius 70
# HELP berry_fan_lost 1 while the fan does not follow what it is told.
# TYPE berry_fan_lost gauge
berry_fan_lost{fan="case"} 0
# HELP berry_fan_changes_total Changes of duty since the daemon started.
# TYPE berry_fan_changes_total counter
berry_fan_changes_total{fan="case"} 2
# HELP berry_fan_errors_total Times that the fan did not follow since the daemon started.
# TYPE berry_fan_errors_total counter
berry_fan_errors_total{fan="case"} 0
# HELP berry_throttled 1 while the firmware slows the Pi down, by reason.
# TYPE berry_throttled gauge
berry_throttled{reason="under-voltage"} 1
berry_throttled{reason="frequency-capped"} 0
berry_throttled{reason="throttled"} 1
berry_throttled{reason="soft-temperature-limit"} 0
# HELP berry_throttled_since_boot 1 where the firmware has slowed the Pi down since it was started, by reason.
# TYPE berry_throttled_since_boot gauge
berry_throttled_since_boot{reason="under-voltage"} 1
berry_throttled_since_boot{reason="frequency-capped"} 0
berry_throttled_since_boot{reason="throttled"} 1
berry_throttled_since_boot{reason="soft-temperature-limit"} 0
# HELP berry_fan_last_update_timestamp_seconds Time of the last complete round.
# TYPE berry_fan_last_update_timestamp_seconds gauge
berry_fan_last_update_timestamp_seconds 1700000000
# HELP berry_fan_interval_seconds Time from round to round.
# TYPE berry_fan_interval_seconds gauge
berry_fan_interval_seconds 1
# HELP berry_build_info Version of berry.
# TYPE berry_build_info gauge
berry_build_info{version="0.1.0"} 1
`);
  });
  test("know of the voltage alone from the kernel's own driver, and not since when", () => {
    const { all } = posts('backend = "none"');
    const text = renderMetrics(all, {
      version: "0.1.0",
      intervalSeconds: 1,
      updatedSeconds: null,
      bootedAtSeconds: 0,
      throttling: readVoltageAlarm("1"),
    });
    expect(text).toContain('berry_throttled{reason="under-voltage"} 1\n');
    expect(text).not.toContain("since_boot");
    // there was no whole round
    expect(text).not.toContain("last_update");
    expect(readVoltageAlarm("")).toBeNull();
  });
  test("know no throttling where the kernel says none", () => {
    expect(readThrottled("")).toBeNull();
    expect(
      readThrottled("0x80008")
        ?.filter(({ isNow }) => isNow)
        .map(({ reason }) => reason),
    ).toEqual(["soft-temperature-limit"]);
  });
});

test("what is set by hand is told as it was typed", () => {
  const event = { event: "set", fan: "case", duty: percent(30.5), seconds: 86_400 } as const;
  expect(tellEvent(event).line).toBe("fan case is set to 30.5 % by hand for 24 h");
});
