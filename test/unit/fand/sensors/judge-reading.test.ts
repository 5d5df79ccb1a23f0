import { describe, expect, test } from "bun:test";
import { cpuSensor, type SensorSettings } from "../../../../src/fand/config/settings.ts";
import {
  type Doubt,
  judgeReading,
  oddityOf,
  type Reading,
  sensorBegin,
} from "../../../../src/fand/sensors/judge-reading.ts";
import { celsius } from "../../../../src/fand/units.ts";

/** Temperatures, or the kinds of doubt, of readings ten seconds apart. */
function judged(
  readings: readonly (string | Reading)[],
  changed: Partial<SensorSettings> = {},
): (number | Doubt["kind"] | null)[] {
  let memory = sensorBegin;
  return readings.map((one) => {
    const reading: Reading = typeof one === "string" ? { kind: "text", text: one, isFaulty: false } : one;
    const {
      memory: after,
      temperature,
      doubt,
    } = judgeReading(memory, reading, 10, { ...cpuSensor, ...changed });
    memory = after;
    expect(temperature === null).toBe(doubt !== null);
    return temperature ?? doubt?.kind ?? null;
  });
}

describe("a reading", () => {
  test("is a temperature in millidegrees, from -40 to 125 °C", () => {
    expect(judged(["48686\n", "-40000\n", "125000\n", "0"])).toEqual([48.686, -40, 125, 0]);
  });
  test("of a file is in doubt where it can only be meant in degrees, and odd where it may be", () => {
    const file = { source: { kind: "file", path: "/run/x" } } as const;
    expect(judged(["85", "-20", "199", "200", "-200", "0", "48500"], file)).toEqual([
      "out-of-range",
      "out-of-range",
      "out-of-range",
      0.2,
      -0.2,
      0,
      48.5,
    ]);
    expect(judged(["85"])).toEqual([0.085]);
    const settings = { ...cpuSensor, ...file };
    const reading = { kind: "text", text: "85", isFaulty: false } as const;
    expect(judgeReading(sensorBegin, reading, 1, settings).doubt?.found).toBe(
      "85 is 0.085 °C: a file holds millidegrees, as the kernel writes them, such as 48500 for 48.5 °C",
    );
    expect(oddityOf(settings, celsius(0.85))).toStartWith("850 is 0.85 °C: ");
    expect([celsius(1), celsius(0), celsius(-1), null].map((at) => oddityOf(settings, at))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(oddityOf(cpuSensor, celsius(0.85))).toBeNull();
  });
  test("is in doubt out of that range, or out of its own", () => {
    expect(judged(["-40001\n", "125001\n", "999999999\n"])).toEqual([
      "out-of-range",
      "out-of-range",
      "garbage",
    ]);
    expect(judged(["9000", "90000"], { minimum: celsius(10), maximum: celsius(85) })).toEqual([
      "out-of-range",
      "out-of-range",
    ]);
  });
  test.each(["", "\n", "hot", "48.6", "0x1F", "1e4", "NaN", "48686 48686", "\0\0"])(
    "is garbage: %j",
    (text) => {
      expect(judged([text])).toEqual(["garbage"]);
    },
  );
  test("is in doubt where it is missing, unreadable or flagged", () => {
    expect(
      judged([
        { kind: "missing", why: "no thermal zone" },
        { kind: "unreadable", why: "EIO" },
        { kind: "text", text: "48686", isFaulty: true },
        "48686",
      ]),
    ).toEqual(["missing", "unreadable", "faulty", 48.686]);
  });
  test("is stuck when it has not changed for so long, and no more when it changes", () => {
    const same = ["48686", "48686", "48686", "48686", "48199", "48199"];
    expect(judged(same, { stuckAfterSeconds: 20 })).toEqual([
      48.686,
      48.686,
      "stuck",
      "stuck",
      48.199,
      48.199,
    ]);
    expect(judged(same)).toEqual([48.686, 48.686, 48.686, 48.686, 48.199, 48.199]);
  });
  test("says what was found", () => {
    const reading: Reading = { kind: "text", text: "-60000", isFaulty: false };
    expect(judgeReading(sensorBegin, reading, 1, cpuSensor).doubt).toEqual({
      kind: "out-of-range",
      found: "-60.0 °C, not of -40 to 125 °C",
    });
  });
});
