import { describe, expect, test } from "bun:test";
import type { CalibrationSample } from "../../../../src/fand/calibrate/calibration.ts";
import { runCalibration } from "../../../../src/fand/calibrate/run-calibration.ts";
import { celsius, percent } from "../../../../src/fand/units.ts";
import type { Percent } from "../../../../src/fand/units.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { type FanNature, simulatedFan } from "../../../fixtures/simulated-fan.ts";

/** A calibration on a simulated fan, in a time of its own. */
function bench(nature: FanNature = {}) {
  const fan = simulatedFan(nature);
  const ended = new AbortController();
  const calls: string[] = [];
  const samples: CalibrationSample[] = [];
  let now = 1000;
  let duty: Percent = percent(0);
  const world = {
    ended,
    calls,
    samples,
    duty: () => duty,
    beats: 0,
    temperature: 50,
    late: 0,
    setDuty: (wanted: Percent) => wanted,
    onSleep: () => undefined as void,
  };
  const run = () =>
    runCalibration(
      {
        backend: {
          open() {
            calls.push("open");
            duty = percent(100);
          },
          setDuty: (wanted) => (duty = world.setDuty(wanted)),
          dispose() {
            calls.push("dispose");
            duty = percent(100);
          },
        },
        clock: {
          now: () => now,
          async sleep(seconds) {
            now += seconds + world.late;
            fan.turn(duty, seconds + world.late);
            world.onSleep();
          },
        },
        readRpm: () => fan.rpm(),
        readTemperature: () => celsius(world.temperature),
        beat: () => (world.beats += 1),
        onSample: (_duty, sample) => void samples.push(sample),
      },
      celsius(75),
      ended.signal,
    );
  return { ...world, world, run };
}

describe("running a calibration", () => {
  test("takes the fan, tries it out, and leaves it at full speed", async () => {
    const { run, calls, duty, world, samples } = bench();
    expect(await run()).toMatchObject({ isFound: true, slowest: { duty: 20 } });
    expect(calls).toEqual(["open", "dispose"]);
    expect(duty()).toBe(percent(100));
    expect(world.beats).toBeGreaterThan(35);
    expect(world.beats).toBeLessThan(samples.length / 2);
  });
  test("is at full speed the moment the signal aborts, before anything was awaited", async () => {
    const { run, duty, world, ended } = bench();
    let seen: unknown = null;
    world.onSleep = () => {
      if (duty() > 20) return;
      ended.abort(new Error("enough"));
      seen ??= duty();
    };
    expect(String(await failureOf(run()))).toContain("enough");
    expect(seen).toBe(percent(100));
    expect(duty()).toBe(percent(100));
  });
  test("touches nothing where the signal has aborted already", async () => {
    const { run, calls, ended } = bench();
    ended.abort(new Error("before"));
    await failureOf(run());
    expect(calls).toEqual([]);
  });
  test("is at full speed when the limit is reached", async () => {
    const { run, duty, world } = bench();
    world.onSleep = () => {
      if (duty() === 10) world.temperature = 75;
    };
    expect(await run()).toMatchObject({ isFound: false, reason: "too-hot" });
    expect(duty()).toBe(percent(100));
  });
  test("is at full speed when the fan does not follow", async () => {
    const { run, duty, world, calls } = bench();
    world.setDuty = (wanted) => {
      if (wanted === 30) throw new Error("does not follow");
      return wanted;
    };
    expect(String(await failureOf(run()))).toContain("does not follow");
    expect(calls.at(-1)).toBe("dispose");
    expect(duty()).toBe(percent(100));
  });
  test("gives up when it was held up, and asks for no other duty then", async () => {
    const { run, duty, world } = bench();
    world.onSleep = () => {
      if (duty() === 20) world.late = 3;
    };
    const failure = await failureOf(run());
    expect(String(failure)).toContain("the calibration was held up for 3 s");
    expect(duty()).toBe(percent(100));
  });
});
