import { describe, expect, test } from "bun:test";
import { formatProblem, startDiagnosis } from "../../../../src/config/problem.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { defaultControl, defaultCurve } from "../../../../src/fand/config/defaults.ts";
import type { Fan, FandSettings } from "../../../../src/fand/config/settings.ts";

function compose(toml: string): { settings: FandSettings; problems: string[]; warnings: string[] } {
  const diagnosis = startDiagnosis("fand.toml");
  const content = Bun.TOML.parse(toml) as Record<string, unknown>;
  const settings = composeFand(content, "/etc/berry/fand.toml", diagnosis);
  return {
    settings,
    problems: diagnosis.problems.map(formatProblem),
    warnings: diagnosis.warnings.map(({ key, message }) => `${key}: ${message}`),
  };
}

function onlyFan(toml: string): Fan {
  const { settings, problems } = compose(toml);
  expect(problems).toEqual([]);
  const [fan] = settings.fans;
  if (fan === undefined) throw new Error("there is no fan");
  return fan;
}

describe("fand.toml", () => {
  test("may be empty: one fan, the Pi's own sensor, the default curve", () => {
    const { settings, problems, warnings } = compose("");
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(settings.intervalSeconds).toBe(1);
    expect(settings.sensors.map(({ name, source }) => ({ name, source }))).toEqual([
      { name: "cpu", source: { kind: "thermal", type: "cpu-thermal" } },
    ]);
    expect(settings.fans).toMatchObject([
      { name: "fan", backend: "auto", pin: null, mode: "pwm", sensors: ["cpu"], control: defaultControl },
    ]);
    expect(Object.isFrozen(settings.fans[0]?.control.rule)).toBe(true);
  });
  test("may be what the imager writes", () => {
    expect(onlyFan('pin = 18\nmode = "pwm"\n')).toMatchObject({ pin: 18, mode: "pwm", backend: "auto" });
    expect(onlyFan('pin = 14\nmode = "on-off"\n').control).toMatchObject({
      rule: { rule: "on-off", on: 60, off: 50 },
      minimumDuty: 100,
    });
  });
  test("has a default curve that is off below 45 °C and full from 72 on", () => {
    expect(defaultCurve.points.map(({ at, duty }): number[] => [at, duty])).toEqual([
      [45, 0],
      [50, 30],
      [60, 50],
      [67, 75],
      [72, 100],
    ]);
  });
  test("describes several fans, each with sensors of its own", () => {
    const { settings, problems } = compose(`
interval = "500ms"
[[sensor]]
name = "disk"
hwmon = "drivetemp"
label = "temp1"
stuck_after = "10m"
[[sensor]]
name = "test"
file = "/run/test/temperature"
[[fan]]
name = "case"
pin = 18
sensors = ["cpu", "disk"]
curve = [[40, 20], [60, 100]]
[[fan]]
name = "rack"
backend = "gpio"
pin = 23
on = 55
`);
    expect(problems).toEqual([]);
    expect(settings.intervalSeconds).toBe(0.5);
    expect(settings.sensors.map(({ name, stuckAfterSeconds }) => [name, stuckAfterSeconds])).toEqual([
      ["disk", 600],
      ["test", null],
      ["cpu", null],
    ]);
    expect(settings.fans.map(({ name, mode, sensors }) => [name, mode, sensors])).toEqual([
      ["case", "pwm", ["cpu", "disk"]],
      ["rack", "on-off", ["disk", "test", "cpu"]],
    ]);
    expect(settings.fans[0]?.control.minimumDuty).toBe(20 as never);
    expect(settings.fans[1]?.control.rule).toMatchObject({ on: 55, off: 45 });
  });
  test("takes the Pi's own sensor away from no fan: one that names others has it as a guard", () => {
    const disk = '[[sensor]]\nname = "disk"\nhwmon = "drivetemp"\n';
    const followed = (toml: string) => {
      const { sensors, guards } = onlyFan(toml);
      return { sensors, guards };
    };
    // as the documentation has it
    expect(followed(`pin = 18\n${disk}`)).toEqual({ sensors: ["disk", "cpu"], guards: [] });
    expect(followed(`sensors = ["disk"]\n${disk}`)).toEqual({ sensors: ["disk"], guards: ["cpu"] });
    expect(followed(`sensors = ["cpu", "disk"]\n${disk}`).guards).toEqual([]);
    const unnamed = '[[sensor]]\nfile = "/run/x"\n';
    expect(followed(unnamed)).toEqual({ sensors: ["sensor1", "cpu"], guards: [] });
    // one that is called so is not the Pi's own for that
    const called = '[[sensor]]\nname = "cpu"\nfile = "/run/x"\n';
    expect(followed(`sensors = "cpu"\n${called}`)).toEqual({ sensors: ["cpu"], guards: ["soc"] });
    const own = '[[sensor]]\nname = "die"\nhwmon = "cpu_thermal"\n';
    expect(followed(`${disk}${own}`)).toEqual({ sensors: ["disk", "die"], guards: [] });
    expect(followed(`sensors = "disk"\n${disk}${own}`).guards).toEqual(["die"]);
  });
  test("without a backend has no fan, and reports its sensor all the same", () => {
    const { settings, problems } = compose('backend = "none"');
    expect({ fans: settings.fans, problems }).toEqual({ fans: [], problems: [] });
    expect(settings.sensors).toHaveLength(1);
  });
  test("says when a curve does not end at full speed", () => {
    expect(compose("curve = [[50, 30], [70, 60]]").warnings).toEqual([
      "curve: ends at 60 %: full speed comes at 80 °C only",
    ]);
    expect(compose("critical = 125\ncurve = [[50, 30], [124, 60]]").warnings).toEqual([
      "curve: ends at 60 %, and critical is 125 °C: nothing ever brings full speed but doubt",
    ]);
    expect(compose("critical = 70").warnings).toEqual([
      "curve: reaches 100 % at 72 °C, above critical: the fan jumps to full speed at 70 °C",
    ]);
    expect(compose("critical = 72").warnings).toEqual([]);
  });
  test("says when a fan is switched on by critical only", () => {
    expect(compose('mode = "on-off"\non = 90').warnings).toEqual([
      "on: is 90 °C, above critical: the fan runs from 80 °C",
    ]);
    expect(compose('mode = "on-off"\non = 80').warnings).toEqual([]);
  });
});

describe("a broken fand.toml", () => {
  const broken: readonly (readonly [title: string, toml: string, problems: readonly string[]])[] = [
    [
      "with slips, all of them",
      'pinn = 18\nmode = "pwn"\ninterval = "1 fortnight"\n',
      [
        "fand.toml: pinn: unknown key; did you mean pin?",
        'fand.toml: interval: not a duration, got "1 fortnight"; use seconds, or a string such as "500ms", "30s", "10m"',
        'fand.toml: mode: not one of the choices, got "pwn"; use "pwm" or "on-off"',
      ],
    ],
    [
      "with a number that is none",
      "critical = nan",
      ["fand.toml: critical: not a number, got nan; write a number"],
    ],
    ["with a pin that is none", "pin = 28", ["fand.toml: pin: too big, got 28; use 27 or less"]],
    [
      "with a falling curve",
      "curve = [[50, 60], [60, 50]]",
      [
        "fand.toml: curve[#2]: slower than 60 %, the point before, got 50; a hotter Pi needs a faster fan: correct one of them",
      ],
    ],
    [
      "with an unsorted curve",
      "curve = [[50, 30], [50, 50]]",
      ["fand.toml: curve[#2]: not above 50 °C, the point before, got 50; sort them by temperature"],
    ],
    [
      "with a point that is none",
      "curve = [[50, 130]]",
      [
        "fand.toml: curve[#1]: a point of no curve, got [50, 130]; use temperatures of -40 to 125 °C, duties of 0 to 100 %",
      ],
    ],
    [
      "with an empty curve",
      "curve = []",
      ["fand.toml: curve: a curve without points, got a list; give it one"],
    ],
    [
      "that switches a PWM fan",
      "on = 50",
      ['fand.toml: on: has no meaning in mode pwm; remove it, or set mode = "on-off"'],
    ],
    [
      "with a gpio backend for PWM",
      'backend = "gpio"\nmode = "pwm"\npin = 3',
      ['fand.toml: mode: backend gpio can only switch, got "pwm"; use mode = "on-off", or another backend'],
    ],
    [
      "without the pin that its backend needs",
      'backend = "pwm"',
      ["fand.toml: pin: backend pwm needs it; name the fan's GPIO: pin = 18"],
    ],
    [
      "without a gap between on and off",
      'mode = "on-off"\non = 50\noff = 50',
      ["fand.toml: off: not below on = 50, got 50; leave a gap, or the fan flutters"],
    ],
    [
      "with a sensor that is not there",
      'sensors = ["cpi"]',
      ['fand.toml: sensors[#1]: no such sensor, got "cpi"; did you mean cpu?'],
    ],
    [
      "with a fan's key beside [[fan]]",
      "pin = 18\n[[fan]]\npin = 19",
      ["fand.toml: pin: a key of one fan, in a file with [[fan]]; write it below its [[fan]]"],
    ],
    [
      "with two fans alike",
      '[[fan]]\npin = 18\n[[fan]]\nname = "fan"\npin = 18',
      [
        'fand.toml: fan[fan].name: two fans of one name, got "fan"; rename one',
        "fand.toml: fan[fan].pin: the pin of fan fan, got 18; give every fan a pin of its own",
      ],
    ],
    [
      "with a fan that is no table",
      "fan = 18",
      ["fand.toml: fan: not a list of tables, got 18; write [[fan]]"],
    ],
    [
      "with a sensor from nowhere",
      '[[sensor]]\nname = "x"',
      [
        'fand.toml: sensor[x]: a sensor without a source; add type = "cpu-thermal" (a thermal zone), hwmon = NAME, or file = PATH',
      ],
    ],
    [
      "with a sensor from everywhere",
      '[[sensor]]\ntype = "cpu-thermal"\nfile = "/x"',
      ["fand.toml: sensor[#1]: more than one source, got type and file; keep one of them"],
    ],
    [
      "with a relative sensor file",
      '[[sensor]]\nfile = "x"',
      ['fand.toml: sensor[#1].file: not an absolute path, got "x"; start it with a slash'],
    ],
  ];
  test.each([...broken])("%s says so", (_title, toml, problems) => {
    expect(compose(toml).problems).toEqual([...problems]);
  });
});
