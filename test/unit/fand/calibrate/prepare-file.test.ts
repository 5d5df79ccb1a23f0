import { afterEach, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { BerryError } from "../../../../src/core/errors.ts";
import { prepareCalibration } from "../../../../src/fand/calibrate/prepare-file.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import {
  addCoolingFan,
  addGpioFan,
  addPwm,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});
const prepare = (one: FakeBoard, toml = "", name?: string, isRoot = true) =>
  prepareCalibration(
    composeFand(Bun.TOML.parse(toml) as Record<string, unknown>, null, startDiagnosis("fand.toml")),
    name,
    one.roots,
    isRoot,
  );
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof BerryError) return `${thrown.kind}: ${thrown.message}; ${thrown.hint}`;
    throw thrown;
  }
  throw new Error("it was not refused");
}

describe("before a calibration", () => {
  test("the fan, its tachometer and its sensors are found", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    using prepared = prepare(board);
    expect([prepared.fan.name, prepared.readRpm(), Number(prepared.readTemperature(1))]).toEqual([
      "fan",
      2300,
      48.312,
    ]);
    await board.put({
      "sys/class/hwmon/hwmon2/fan1_input": "x\n",
      "sys/class/thermal/thermal_zone0/temp": "",
    });
    expect([prepared.readRpm(), prepared.readTemperature(1)]).toEqual([null, null]);
  });
  test("whoever is not root is told so", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const one = board;
    expect(refusal(() => prepare(one, "", undefined, false))).toBe(
      "no-permission: fans are driven by root alone; sudo berry fand calibrate",
    );
  });
  test("a fan without a tachometer is done by eye", async () => {
    board = await fakeBoard("pi-4");
    const one = board;
    await addPwm(one, { ...header["pi-4"], pins: [18] });
    expect(refusal(() => prepare(one, "pin = 18"))).toStartWith(
      "unavailable: fan fan: backend pwm has no tachometer; without one it is done by eye: berry fand set",
    );
    // its driver says what the fan was told, not how it turns
    await addGpioFan(one, 17);
    expect(refusal(() => prepare(one, 'pin = 17\nbackend = "hwmon"'))).toContain("has no tachometer");
  });
  test("a fan that is switched has no duty to find", async () => {
    board = await fakeBoard("pi-4");
    const one = board;
    expect(refusal(() => prepare(one, 'pin = 18\nmode = "on-off"'))).toStartWith(
      "usage: fan fan is switched on and off",
    );
  });
  test("of several fans one has to be named", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const one = board;
    const toml = '[[fan]]\nname = "front"\n[[fan]]\nname = "back"\npin = 12';
    expect(refusal(() => prepare(one, toml))).toBe(
      "usage: there are several fans: front, back; name one: berry fand calibrate front",
    );
    expect(refusal(() => prepare(one, toml, "side"))).toBe(
      "usage: no fan side; the configuration has front, back",
    );
    expect(refusal(() => prepare(one, 'backend = "none"'))).toContain("there is no fan to calibrate");
    prepare(one, toml, "front")[Symbol.dispose]();
  });
  test("a warm machine is left alone, and one whose sensor is in doubt", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const one = board;
    await one.put({ "sys/class/thermal/thermal_zone0/temp": "65000\n" });
    expect(refusal(() => prepare(one))).toBe(
      "temporary: too warm to slow a fan down: sensor cpu has 65.0 °C; let it cool down below 65 °C: at 75 °C a calibration is given up",
    );
    await one.put({ "sys/class/thermal/thermal_zone0/temp": "64900\n" });
    prepare(one)[Symbol.dispose]();
    expect(refusal(() => prepare(one, "[limits]\ncalibration = 60"))).toContain("too warm");
    await one.put({ "sys/class/thermal/thermal_zone0/temp": "hot\n" });
    expect(refusal(() => prepare(one))).toStartWith('unavailable: sensor cpu is in doubt: "hot"');
  });
  test("a fan that nothing drives is one for the doctor", async () => {
    board = await fakeBoard("pi-5");
    const one = board;
    expect(refusal(() => prepare(one))).toEndWith("berry fand doctor says what is missing");
  });
});
