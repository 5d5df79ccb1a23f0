import { afterEach, describe, expect, test } from "bun:test";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspectionObject, tellInspection } from "../../../src/commands/fand/tell-inspection.ts";
import { startDiagnosis } from "../../../src/config/problem.ts";
import { composeFand } from "../../../src/fand/config/compose-fand.ts";
import { inspect } from "../../../src/fand/inspect-file.ts";
import { celsius } from "../../../src/fand/units.ts";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});
const inspected = (one: FakeBoard, toml: string) =>
  inspect(
    composeFand(Bun.TOML.parse(toml) as Record<string, unknown>, null, startDiagnosis("fand.toml")),
    one.roots,
    true,
  );
const told = (one: FakeBoard, toml: string) =>
  tellInspection(inspected(one, toml)).map((line) => line.replaceAll(one.folder, ""));

describe("an inspection", () => {
  test("says what would be used", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    expect(told(board, "")).toEqual([
      "machine: Raspberry Pi 5 Model B Rev 1.0",
      "sensor cpu: thermal zone of type cpu-thermal (/sys/class/thermal/thermal_zone0/temp): 48.3 °C",
      "fan fan: hwmon, hwmon chip pwmfan (/sys/class/hwmon/hwmon2/pwm1)",
      "  by cpu: 0 % at 45 °C, 30 % at 50 °C, 50 % at 60 °C, 75 % at 67 °C, 100 % at 72 °C, at least 30 %, full speed from 80 °C",
    ]);
    expect(inspectionObject(inspected(board, ""))).toMatchObject({
      model: "Raspberry Pi 5 Model B Rev 1.0",
      sensors: [{ name: "cpu", temperature: 48.312, doubt: null }],
      fans: [{ name: "fan", backend: "hwmon", output: { chip: "pwmfan" }, refusals: [] }],
    });
  });
  test("says why nothing would be used, and what to do", async () => {
    board = await fakeBoard("pi-4");
    expect(told(board, 'pin = 18\n[[sensor]]\nname = "x"\nhwmon = "lm75"').slice(1)).toEqual([
      "sensor x: hwmon chip lm75: missing: no hwmon chip lm75: there is cpu_thermal",
      "sensor cpu: thermal zone of type cpu-thermal (/sys/class/thermal/thermal_zone0/temp): 48.3 °C",
      "fan fan: nothing drives it",
      "  by x, cpu: 0 % at 45 °C, 30 % at 50 °C, 50 % at 60 °C, 75 % at 67 °C, 100 % at 72 °C, at least 30 %, full speed from 80 °C",
      "  not hwmon: no hwmon chip has a PWM output: no fan driver of the kernel is loaded",
      "  not pwm: no PWM controller at fe20c000.pwm; dtoverlay=pwm,pin=18,func=2 in config.txt, then reboot",
      '  not gpio: a GPIO line is on or off; mode = "on-off"',
      "  not pigpio: libpigpio.so.1 is not installed; install pigpio (Arch Linux ARM: pigpio of the AUR; Raspberry Pi OS: apt install libpigpio1), or use another backend",
    ]);
  });
  test("says that the Pi's own sensor counts, too, from critical on", async () => {
    board = await fakeBoard("pi-4");
    const disk = '[[fan]]\nsensors = ["disk"]\n[[sensor]]\nname = "disk"\nfile = "/nowhere"\n';
    expect(told(board, disk).slice(2, 5)).toEqual([
      "sensor cpu: thermal zone of type cpu-thermal (/sys/class/thermal/thermal_zone0/temp): 48.3 °C",
      "fan fan: nothing drives it",
      "  by disk: 0 % at 45 °C, 30 % at 50 °C, 50 % at 60 °C, 75 % at 67 °C, 100 % at 72 °C, at least 30 %, full speed from 80 °C, also of cpu",
    ]);
    expect(inspectionObject(inspected(board, disk))).toMatchObject({
      fans: [{ sensors: ["disk"], guards: ["cpu"], critical: 80 }],
    });
  });
  test("warns of a sensor's file that others may write to, and of what cannot be millidegrees", async () => {
    board = await fakeBoard("pi-4");
    const file = join(board.folder, "probe");
    await writeFile(file, "850\n");
    const own = inspected(board, `[[sensor]]\nname = "x"\nfile = "${file}"`).sensors[0];
    expect(own?.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("850 is 0.85 °C: a file holds millidegrees"),
      ...(process.getuid?.() === 0 ? [] : [expect.stringContaining("belongs to another user")]),
    ]);
    await writeFile(file, "48500\n");
    await chmod(file, 0o666);
    const open = inspected(board, `[[sensor]]\nname = "x"\nfile = "${file}"`).sensors[0];
    expect(open?.temperature).toBe(celsius(48.5));
    expect(open?.warnings.map(({ message }) => message).join("\n")).toContain(
      `${file}${process.getuid?.() === 0 ? "" : " belongs to another user"}: whoever writes to it decides how fast the fan turns`,
    );
  });
  test("of a Pi without a fan reports its temperature", async () => {
    board = await fakeBoard("pi-3");
    expect(told(board, 'backend = "none"').slice(1)).toEqual([
      "sensor cpu: thermal zone of type cpu-thermal (/sys/class/thermal/thermal_zone0/temp): 48.3 °C",
      "no fan: temperatures are reported, and nothing is driven",
    ]);
  });
});
