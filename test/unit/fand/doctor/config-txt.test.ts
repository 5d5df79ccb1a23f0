import { describe, expect, test } from "bun:test";
import { bootLineOf, pinsOfOverlay } from "../../../../src/fand/doctor/boot-line.ts";
import { overlaysOf, parameterOf, parseConfigTxt } from "../../../../src/fand/doctor/config-txt.ts";

const applying = (text: string, model: string | null) =>
  parseConfigTxt(text, model).map((line) => [line.text, line.applies]);

describe("config.txt", () => {
  test.each([
    ["Raspberry Pi Zero W Rev 1.1", ["pi0", "pi0w"]],
    ["Raspberry Pi Zero 2 W Rev 1.0", ["pi0", "pi02"]],
    ["Raspberry Pi Model B Plus Rev 1.2", ["pi1"]],
    ["Raspberry Pi 2 Model B Rev 1.1", ["pi2"]],
    ["Raspberry Pi 3 Model B Rev 1.2", ["pi3"]],
    ["Raspberry Pi 3 Model B Plus Rev 1.3", ["pi3", "pi3+"]],
    ["Raspberry Pi 4 Model B Rev 1.5", ["pi4"]],
    ["Raspberry Pi 400 Rev 1.0", ["pi4", "pi400"]],
    ["Raspberry Pi Compute Module 4 Rev 1.1", ["pi4", "cm4"]],
    ["Raspberry Pi Compute Module 4S Rev 1.0", ["pi4", "cm4s"]],
    ["Raspberry Pi 5 Model B Rev 1.0", ["pi5"]],
    ["Raspberry Pi 500 Rev 1.0", ["pi5", "pi500"]],
    ["Raspberry Pi Compute Module 5 Rev 1.0", ["pi5", "cm5"]],
  ])("knows what is for a %s", (model, filters) => {
    const all = "pi0 pi0w pi02 pi1 pi2 pi3 pi3+ pi4 pi400 cm4 cm4s pi5 pi500 cm5".split(" ");
    const text = all.map((filter) => `[${filter}]\nname=${filter}\n`).join("");
    const meant = applying(text, model)
      .filter(([, applies]) => applies === true)
      .map(([line]) => String(line).slice("name=".length));
    expect(meant).toEqual(filters);
  });
  test("adds filters of different kinds up, until [all]", () => {
    const text =
      "a=1\r\n[pi4]\nb=1\n[gpio4=1]\nc=1\n[pi5]\nd=1\n[all]\ne=1\n[none]\nf=1\n[pi4]\ng=1\n[all]\n# x\n\nh=1";
    expect(applying(text, "Raspberry Pi 4 Model B Rev 1.5")).toEqual([
      ["a=1", true],
      ["b=1", true],
      ["c=1", null],
      ["d=1", false],
      ["e=1", true],
      ["f=1", false],
      ["g=1", false],
      ["h=1", true],
    ]);
  });
  test("has overlays with parameters, on lines of their own, too", () => {
    const lines = parseConfigTxt(
      "dtparam=audio=on\ndtoverlay=pwm,pin=12\ndtparam=func=4\ndtoverlay=\ndtparam=i2c\ndtoverlay=gpio-fan,gpiopin=17,temp=60000",
      null,
    );
    expect(
      overlaysOf(lines).map(({ overlay, parameters }) => [overlay, Object.fromEntries(parameters)]),
    ).toEqual([
      ["pwm", { pin: "12", func: "4" }],
      ["gpio-fan", { gpiopin: "17", temp: "60000" }],
    ]);
    expect(overlaysOf(lines).map(pinsOfOverlay)).toEqual([[{ pin: 12, func: 4 }], [{ pin: 17, func: null }]]);
    expect([parameterOf(lines, "audio"), parameterOf(lines, "i2c"), parameterOf(lines, "spi")]).toEqual([
      "on",
      "on",
      null,
    ]);
  });
  test("has overlays without parameters, which have pins of their own", () => {
    const pins = (text: string) => overlaysOf(parseConfigTxt(text, null)).flatMap(pinsOfOverlay);
    expect(pins("dtoverlay=pwm\ndtoverlay=gpio-fan\ndtoverlay=pwm-gpio-fan\ndtoverlay=vc4-kms-v3d")).toEqual([
      { pin: 18, func: 2 },
      { pin: 12, func: null },
      { pin: 18, func: null },
    ]);
    expect(pins("dtoverlay=pwm-2chan")).toEqual([
      { pin: 18, func: 2 },
      { pin: 19, func: 2 },
    ]);
  });
  test("needs no line for what has no overlay", () => {
    for (const backend of ["gpio", "pigpio"] as const)
      expect(bootLineOf({ pin: 18, mode: "on-off", backend }, [], null)).toBeNull();
    expect(bootLineOf({ pin: 17, mode: "pwm", backend: "pwm" }, [], null)).toBeNull();
    expect(bootLineOf({ pin: null, mode: "pwm", backend: "auto" }, [], null)).toBeNull();
  });
});
