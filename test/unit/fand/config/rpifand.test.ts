import { describe, expect, test } from "bun:test";
import { formatProblem, startDiagnosis } from "../../../../src/config/problem.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { renderMigrated } from "../../../../src/fand/config/render-fand.ts";
import {
  composeRpifand,
  isRpifand,
  type RpifandFile,
  rpifandSpeed,
} from "../../../../src/fand/config/rpifand.ts";
import { control, controlBegin } from "../../../../src/fand/control/control.ts";
import { celsius } from "../../../../src/fand/units.ts";

const levels = (key: string, values: readonly number[]) =>
  values.map((value, level) => `${key}${level} = ${value}`).join("\n");
export const shipped = `[MAIN]
gpio_pin = 18
mode = "PWM"
thermal_interval_seconds = 10
tail_range = 18
[ONOFF]
temp_threshold_celsius = 60
[PWM]
${levels("temp_celsius_lv", [45, 50, 55, 60, 65, 70])}
${levels("fan_spped_lv", [0, 20, 40, 60, 80, 100])}
`;

function read(toml: string): { file: RpifandFile; problems: string[]; warnings: string[] } {
  const diagnosis = startDiagnosis("rpifand.toml");
  const file = composeRpifand(
    Bun.TOML.parse(toml) as Record<string, unknown>,
    "/etc/rpifand/rpifand.toml",
    diagnosis,
  );
  return {
    file,
    problems: diagnosis.problems.map(formatProblem),
    warnings: diagnosis.warnings.map(({ key, message }) => `${key}: ${message}`),
  };
}

/** Duties for readings of the sensor. */
function duties(file: RpifandFile, temperatures: readonly (number | null)[]): number[] {
  const [fan] = file.settings.fans;
  if (fan === undefined) throw new Error("there is no fan");
  let state = controlBegin;
  return temperatures.map((one) => {
    const sample = { temperature: one === null ? null : celsius(one), elapsedSeconds: 10 };
    const controlled = control(state, sample, fan.control);
    state = controlled.state;
    return controlled.duty;
  });
}

describe("the original's file", () => {
  test("is known by its [MAIN]", () => {
    expect(isRpifand(Bun.TOML.parse(shipped) as Record<string, unknown>)).toBe(true);
    expect(isRpifand({ pin: 18 })).toBe(false);
  });
  test("is read as it is, and its bug pointed out", () => {
    const { file, problems, warnings } = read(shipped);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      "PWM: from 45 up to 50 °C the original ran at 100 %, for want of a case; berry runs at 0 % there, as below",
    ]);
    expect(file.settings).toMatchObject({
      dialect: "rpifand",
      intervalSeconds: 10,
      fans: [{ pin: 18, mode: "pwm", frequencyHz: 1520, control: { rule: { readings: 18 }, critical: 80 } }],
    });
  });
  test("drives as the original did at every temperature but from lv0 to lv1", () => {
    const { file } = read(shipped);
    if (file.steps === null) throw new Error("there are no steps");
    for (let tenth = -100; tenth < 1000; tenth += 1) {
      const temperature = tenth / 10;
      const original =
        temperature < 45
          ? 0
          : temperature >= 50 && temperature < 55
            ? 20
            : temperature >= 55 && temperature < 60
              ? 40
              : temperature >= 60 && temperature < 65
                ? 60
                : temperature >= 65 && temperature < 70
                  ? 80
                  : 100;
      expect(rpifandSpeed(file.steps, temperature, false)).toBe(original);
      const isBug = temperature >= 45 && temperature < 50;
      expect(duties(file, [temperature])).toEqual([isBug ? 0 : original]);
    }
  });
  test("is warned of where it is slow where it is hot, and runs at full speed from 80 °C", () => {
    const weak = read(shipped.replace("fan_spped_lv5 = 100", "fan_spped_lv5 = 40"));
    expect(weak.problems).toEqual([]);
    expect(weak.warnings.slice(1)).toEqual([
      "PWM: falls to 40 % at 70 °C: a hotter Pi gets a slower fan, as by the original",
      "PWM.fan_spped_lv5: ends at 40 %: berry runs at full speed from 80 °C, whatever the file says",
    ]);
    expect([70, 79.9, 80].flatMap((at) => duties(weak.file, [at]))).toEqual([40, 40, 100]);
    // as long as it is remembered
    expect(duties(weak.file, [80, 60])).toEqual([100, 100]);
    const late = read(shipped.replace("temp_celsius_lv5 = 70", "temp_celsius_lv5 = 90"));
    expect(late.warnings.slice(1)).toEqual([
      "PWM.fan_spped_lv5: full speed comes at 90 °C: berry runs at full speed from 80 °C, whatever the file says",
    ]);
    const switched = shipped.replace('"PWM"', '"ONOFF"').replace("_celsius = 60", "_celsius = 95");
    const { warnings, file } = read(switched);
    expect(warnings).toEqual([
      "ONOFF.temp_threshold_celsius: full speed comes at 95 °C: berry runs at full speed from 80 °C, whatever the file says",
    ]);
    expect(duties(file, [79, 80])).toEqual([0, 100]);
  });
  test("remembers its readings, 100 °C for one that failed", () => {
    const { file } = read(shipped.replace("tail_range = 18", "tail_range = 3"));
    expect(duties(file, [40, 61, 40, 40, 40])).toEqual([0, 60, 60, 60, 0]);
    expect(duties(file, [40, null, 40, 40, 40])).toEqual([0, 100, 100, 100, 0]);
  });
  test("switches in mode ONOFF, at its threshold", () => {
    const { file, problems, warnings } = read(
      shipped.replace('"PWM"', '"ONOFF"').replace("tail_range = 18", "tail_range = 2"),
    );
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(file.settings.fans[0]?.mode).toBe("on-off");
    expect(duties(file, [59.9, 60, 59, 59])).toEqual([0, 100, 100, 0]);
  });
  test("has keys of any case, odd modes and speeds, and strangers", () => {
    const odd = shipped
      .replace("[MAIN]", "[Main]\nlog = 1")
      .replace("gpio_pin", "GPIO_Pin")
      .replace('"PWM"', '"pwm"')
      .replace("fan_spped_lv5 = 100", "fan_spped_lv5 = 1000")
      .replace("fan_spped_lv4", "fan_speed_lv4");
    const { file, problems, warnings } = read(odd);
    expect(problems).toEqual([]);
    expect(file.settings.fans[0]?.pin).toBe(18);
    expect(duties(file, [90])).toEqual([100]);
    expect(warnings).toEqual([
      "Main.log: the original does not know this key, and passes over it".replace("Main", "MAIN"),
      'MAIN.mode: is "pwm": the original took anything but "ONOFF" for "PWM"',
      "PWM.fan_speed_lv4: the original spells it fan_spped_lv4, and took 0 for what is not there; berry takes 80",
      "PWM: from 45 up to 50 °C the original ran at 100 %, for want of a case; berry runs at 0 % there, as below",
      "PWM.fan_spped_lv5: is 1000: that is 100 %",
    ]);
  });
  test("drives steps in the wrong order as the original did", () => {
    const { file, warnings } = read(shipped.replace("temp_celsius_lv3 = 60", "temp_celsius_lv3 = 40"));
    expect(warnings.some((line) => line.startsWith("PWM.temp_celsius_lv3"))).toBe(true);
    // no case from 55 on fits but that of level 3
    expect([44, 52, 56, 62, 66, 75].flatMap((at) => duties(file, [at]))).toEqual([0, 20, 60, 60, 80, 100]);
  });
  test("is refused where a fan would not run", () => {
    expect(
      read(shipped.replace("tail_range = 18", "tail_range = 0").replace(/fan_spped_lv5.*\n/, "")).problems,
    ).toEqual([
      "rpifand.toml: MAIN.tail_range: too small, got 0; use 1 or more",
      "rpifand.toml: PWM.fan_spped_lv5: missing: the original took 0 for it; write it down",
    ]);
    expect(read("[MAIN]\n").problems).toContain(
      "rpifand.toml: MAIN.gpio_pin: missing: the original took 0 for it; write it down",
    );
  });
});

describe("migrate", () => {
  const migrated = (toml: string) => {
    const text = renderMigrated(read(toml).file);
    const diagnosis = startDiagnosis("fand.toml");
    const settings = composeFand(Bun.TOML.parse(text) as Record<string, unknown>, null, diagnosis);
    expect(diagnosis.problems).toEqual([]);
    return { text, fan: settings.fans[0] };
  };
  test("writes a file of berry's with the same steps", () => {
    const { text, fan } = migrated(shipped);
    expect(text).toBe(`# /etc/berry/fand.toml, from /etc/rpifand/rpifand.toml
pin = 18
mode = "pwm"
curve = [[-40, 0], [50, 20], [55, 40], [60, 60], [65, 80], [70, 100]]
interpolation = "steps"
minimum_duty = 20
# what rpifand drove the fan with; fans with four wires want 25000, the Argon mini fan 50
frequency = 1520
`);
    expect(fan).toMatchObject({ pin: 18, frequencyHz: 1520, control: { minimumDuty: 20 } });
  });
  test("leaves a gap for a fan that is switched", () => {
    const { fan } = migrated(shipped.replace('"PWM"', '"ONOFF"'));
    expect(fan?.control).toMatchObject({ rule: { on: 60, off: 55 }, minimumOnSeconds: 180 });
  });
});
