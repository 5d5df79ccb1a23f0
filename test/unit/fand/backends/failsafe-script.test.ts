import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { renderNote } from "../../../../src/fand/backends/note.ts";
import type { Output } from "../../../../src/fand/backends/output.ts";
import {
  addPwm,
  addPwmFan,
  exportedChannel,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../../fixtures/fand-boards.ts";

const script = resolve(import.meta.dir, "../../../../systemd/berry-fand-failsafe.sh");
/** The strictest shell that there is. */
const shell = Bun.which("dash") ?? "/bin/sh";
let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

async function boardOf(name: Parameters<typeof fakeBoard>[0]): Promise<FakeBoard> {
  board = await fakeBoard(name);
  return board;
}
function run({ folder }: FakeBoard, ...words: string[]): { exitCode: number; stderr: string } {
  const { exitCode, stderr } = Bun.spawnSync([shell, script, ...words], {
    env: { BERRY_ROOT: folder, PATH: "/nonexistent" },
  });
  return { exitCode, stderr: stderr.toString() };
}
const read = (path: string) => readFileSync(path, "utf8").trim();
const note = (one: FakeBoard, ...outputs: readonly Output[]) =>
  one.put({ "run/berry/outputs": renderNote(outputs) });

function pwm(chip: string, changed: Partial<Output & { kind: "pwm" }> = {}): Output {
  return {
    kind: "pwm",
    chip,
    channel: 0,
    periodNanoseconds: 40_000,
    range: 1000,
    isInverted: false,
    ...changed,
  };
}

describe("the failsafe script", () => {
  test("raises what the note names, and nothing else", async () => {
    const one = await boardOf("pi-4");
    const chip = await addPwm(one, { ...header["pi-4"], pins: [18] });
    await one.put(exportedChannel("sys/class/pwm/pwmchip0/pwm0"));
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await note(one, pwm(chip));
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect(
      ["export", "pwm0/period", "pwm0/duty_cycle", "pwm0/enable"].map((name) => read(join(chip, name))),
    ).toEqual(["0", "40000", "40000", "1"]);
    expect(read(join(fan, "pwm1"))).toBe("75");
  });
  test("knows a fan that is fast when its level is low", async () => {
    const one = await boardOf("pi-4");
    const chip = await addPwm(one, { ...header["pi-4"], pins: [18] });
    await one.put({
      ...exportedChannel("sys/class/pwm/pwmchip0/pwm0"),
      "sys/class/pwm/pwmchip0/pwm0/duty_cycle": "9",
    });
    await note(one, pwm(chip, { isInverted: true }));
    expect(run(one).exitCode).toBe(0);
    expect(read(join(chip, "pwm0/duty_cycle"))).toBe("0");
    expect(read(join(chip, "pwm0/enable"))).toBe("1");
  });
  test("raises a fan of the kernel's, in the manual mode", async () => {
    const one = await boardOf("pi-5");
    const fan = await addPwmFan(one, "cooling_fan", [99, 3, 41_566, 1]);
    await one.put({ "sys/class/hwmon/hwmon2/pwm1_enable": "2" });
    const [path, enable] = [join(fan, "pwm1"), join(fan, "pwm1_enable")];
    await note(one, {
      kind: "hwmon",
      chip: "pwmfan",
      pwm: path,
      enable,
      tachometer: null,
      range: 255,
      isInverted: false,
    });
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect([read(path), read(enable)]).toEqual(["255", "1"]);
  });
  test("holds a GPIO by sysfs, whatever number it has there", async () => {
    const one = await boardOf("pi-4");
    await one.put({
      "sys/class/gpio/export": "",
      "sys/class/gpio/gpiochip504/label": "raspberrypi-exp-gpio\n",
      "sys/class/gpio/gpiochip504/base": "504\n",
      "sys/class/gpio/gpiochip512/label": "pinctrl-bcm2711\n",
      "sys/class/gpio/gpiochip512/base": "512\n",
      "sys/class/gpio/gpio530/direction": "in\n",
    });
    const gpio = { kind: "gpio", device: "/dev/gpiochip0", label: "pinctrl-bcm2711", line: 18 } as const;
    await note(one, { ...gpio, isInverted: false });
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(one.folder, "sys/class/gpio/export"))).toBe("530");
    expect(read(join(one.folder, "sys/class/gpio/gpio530/direction"))).toBe("high");
    await note(one, { ...gpio, isInverted: true });
    run(one);
    expect(read(join(one.folder, "sys/class/gpio/gpio530/direction"))).toBe("low");
  });
  test("without a note raises every fan that the kernel knows", async () => {
    const one = await boardOf("pi-4");
    const chip = await addPwm(one, { ...header["pi-4"], pins: [18] });
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await one.put({
      ...exportedChannel("sys/class/pwm/pwmchip0/pwm0"),
      ...exportedChannel("sys/class/pwm/pwmchip0/pwm1"),
      "sys/class/pwm/pwmchip0/pwm0/period": "40000\n",
    });
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("255");
    expect(read(join(chip, "pwm0/duty_cycle"))).toBe("40000");
    expect(read(join(chip, "pwm0/enable"))).toBe("1");
    // nobody has set it up: there is no full speed to speak of
    expect(read(join(chip, "pwm1/enable"))).toBe("0");
  });
  test("raises everything where the note's fan cannot be raised, and says so", async () => {
    const one = await boardOf("pi-4");
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await note(one, pwm(join(one.folder, "sys/class/pwm/pwmchip9")));
    expect(run(one)).toEqual({
      exitCode: 1,
      stderr: "berry-fand-failsafe: 2 outputs could not be raised\n",
    });
    expect(read(join(fan, "pwm1"))).toBe("255");
  });
  test("writes to the kernel alone, whatever the note says", async () => {
    const one = await boardOf("pi-4");
    await one.put({
      "etc/passwd": "root\n",
      "run/berry/outputs": `# a note\nwrite 1 ${one.folder}/etc/passwd\nwrite 1 ${one.folder}/sys/../etc/passwd\n$(reboot)\n# end\n`,
    });
    expect(run(one).exitCode).toBe(1);
    expect(read(join(one.folder, "etc/passwd"))).toBe("root");
  });
  test.each([
    ["an output that is none of the kernel's", "write 255 /dev/x\n# end\n"],
    ["a path that leaves the kernel's", "write 255 ROOT/sys/class/../../etc/x\n# end\n"],
    ["a line without a path", "write 255\n# end\n"],
    ["a value that is no number", "write full ROOT/sys/class/hwmon/hwmon2/pwm2\n# end\n"],
    ["a word after the path", "try 1 ROOT/sys/x y\n# end\n"],
    ["a word that nobody knows", "raise 255 ROOT/sys/class/hwmon/hwmon2/pwm1\n# end\n"],
    ["a line of no GPIO", "gpio pinctrl-bcm2711 a[x] high\n# end\n"],
    ["a line of octal digits", "gpio pinctrl-bcm2711 08 high\n# end\n"],
    ["a level that is none", "gpio pinctrl-bcm2711 18 hi\n# end\n"],
    ["no end", ""],
    ["an end that is cut off", "# end"],
    ["a line after its end", "# end\ntry 1 ROOT/sys/x\n"],
    ["a line that is cut off", "# end\nwrite 255 ROOT/sys/cl"],
  ])("raises everything where the note has %s", async (_, lines) => {
    const one = await boardOf("pi-4");
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await one.put({
      "sys/class/gpio/gpiochip512/label": "pinctrl-bcm2711\n",
      "sys/class/gpio/gpiochip512/base": "512\n",
      "run/berry/outputs": `# a note\n${lines.replaceAll("ROOT", one.folder)}`,
    });
    expect(run(one)).toEqual({
      exitCode: 1,
      stderr: `berry-fand-failsafe: ${one.folder}/run/berry/outputs is damaged: every fan output that the kernel knows was raised\n`,
    });
    expect(read(join(fan, "pwm1"))).toBe("255");
  });
  test("raises what the note names after a line that is damaged, too", async () => {
    const one = await boardOf("pi-4");
    await one.put({
      "sys/class/gpio/export": "",
      "sys/class/gpio/gpiochip512/label": "pinctrl-bcm2711\n",
      "sys/class/gpio/gpiochip512/base": "512\n",
      "sys/class/gpio/gpio530/direction": "in\n",
      "run/berry/outputs": "# a note\ngpio pinctrl-bcm2711 a[x] high\ngpio pinctrl-bcm2711 18 high\n# end\n",
    });
    expect(run(one).exitCode).toBe(1);
    expect(read(join(one.folder, "sys/class/gpio/gpio530/direction"))).toBe("high");
  });
  test("does not wait for somebody to write a note that is a pipe", async () => {
    const one = await boardOf("pi-4");
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await one.put({ "run/berry/other": "" });
    Bun.spawnSync(["mkfifo", join(one.folder, "run/berry/outputs")]);
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("255");
  });
  test("leaves alone what berry has not taken, where its note is of nothing", async () => {
    const one = await boardOf("pi-4");
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    await note(one);
    expect(run(one)).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("75");
    // that is no note
    await one.put({ "run/berry/outputs": "" });
    run(one);
    expect(read(join(fan, "pwm1"))).toBe("255");
  });
  test("raises nothing but what is noted before a start", async () => {
    const one = await boardOf("pi-4");
    const fan = await addPwmFan(one, "pwm-fan", [99, 1, 40_000, 0]);
    expect(run(one, "noted")).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("75");
    await note(one, pwm(join(one.folder, "sys/class/pwm/pwmchip9")));
    expect(run(one, "noted")).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("75");
    await note(one, {
      kind: "hwmon",
      chip: "pwmfan",
      pwm: join(fan, "pwm1"),
      enable: null,
      tachometer: null,
      range: 255,
      isInverted: false,
    });
    expect(run(one, "noted")).toEqual({ exitCode: 0, stderr: "" });
    expect(read(join(fan, "pwm1"))).toBe("255");
  });
  test("says where there is nothing to raise", async () => {
    expect(run(await boardOf("pi-zero-2"))).toEqual({
      exitCode: 0,
      stderr: "berry-fand-failsafe: there is no fan to raise\n",
    });
  });
});
