import { afterEach, describe, expect, test } from "bun:test";
import { openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { dutyRegister, type Register } from "../../../../src/fand/backends/duty-register.ts";
import { gpioBackend } from "../../../../src/fand/backends/gpio-file.ts";
import { hwmonBackend } from "../../../../src/fand/backends/hwmon-file.ts";
import { openIoctl } from "../../../../src/fand/backends/ioctl-ffi.ts";
import { type Pigpio, pigpioBackend } from "../../../../src/fand/backends/pigpio-backend.ts";
import { pwmBackend } from "../../../../src/fand/backends/pwm-file.ts";
import { type ChannelState, takeChannel } from "../../../../src/fand/backends/take-channel.ts";
import { percent } from "../../../../src/fand/units.ts";
import {
  addGpioFan,
  addPwm,
  exportedChannel,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});
const read = (path: string) => readFileSync(path, "utf8").split("\n")[0];
const half = percent(50);

describe("a register", () => {
  /** What a driver makes of what is written. */
  function driver(changed: Partial<Register> = {}, quantise = (raw: number) => raw) {
    const state = { raw: -1, writes: 0, reads: 0 };
    const set = dutyRegister({
      range: 255,
      isInverted: false,
      name: "pwm1",
      write(raw) {
        state.raw = quantise(raw);
        state.writes += 1;
      },
      read() {
        state.reads += 1;
        return state.raw;
      },
      ...changed,
    });
    return { state, set };
  }
  test("is rounded towards more cooling, from 0 to its range", () => {
    const { state, set } = driver();
    expect([0, 0.1, 50, 99.9, 100].map((duty) => (set(percent(duty)), state.raw))).toEqual([
      0, 1, 128, 255, 255,
    ]);
  });
  test("is written once, and read at every turn", () => {
    const { state, set } = driver();
    for (let turn = 0; turn < 5; turn += 1) set(half);
    expect(state).toEqual({ raw: 128, writes: 1, reads: 5 });
  });
  test("is written again where what drives it was turned off meanwhile", () => {
    const { state, set } = driver();
    set(half);
    set(half, true);
    expect(state).toEqual({ raw: 128, writes: 2, reads: 2 });
  });
  test("overrules whoever else writes to it", () => {
    const { state, set } = driver();
    set(half);
    state.raw = 0;
    expect(set(half)).toBeCloseTo(50, 0);
    expect(state).toMatchObject({ raw: 128, writes: 2 });
  });
  test("may run faster than it was told, as gpio-fan does, without being told again and again", () => {
    const { state, set } = driver({}, (raw) => (raw === 0 ? 0 : 255));
    expect([half, half, half].map((duty): number => set(duty))).toEqual([100, 100, 100]);
    expect(state.writes).toBe(1);
    expect(set(percent(0))).toBe(percent(0));
  });
  test("that does not follow is an error, at every turn", () => {
    const { set } = driver({}, () => 7);
    expect(() => set(half)).toThrow("pwm1: does not follow: 128 was written, 7 is read");
    expect(() => set(half)).toThrow("does not follow");
    expect(() => driver({}, () => Number.NaN).set(half)).toThrow("does not follow");
  });
  test("turned round is fast at 0", () => {
    const { state, set } = driver({ isInverted: true });
    expect([0, 50, 100].map((duty) => (set(percent(duty)), state.raw))).toEqual([255, 127, 0]);
  });
});

describe("a fan of the kernel's", () => {
  test("is taken at full speed in the manual mode, driven, and left at full speed", async () => {
    board = await fakeBoard("pi-3");
    const chip = await addGpioFan(board, 14);
    const [pwm, enable] = [join(chip, "pwm1"), join(chip, "pwm1_enable")];
    const backend = hwmonBackend({
      kind: "hwmon",
      chip: "gpio_fan",
      pwm,
      enable,
      tachometer: null,
      range: 255,
      isInverted: false,
    });
    backend.open();
    expect([read(enable), read(pwm)]).toEqual(["1", "255"]);
    expect(backend.setDuty(half)).toBeCloseTo(50, 0);
    expect(read(pwm)).toBe("128");
    backend.dispose();
    expect(read(pwm)).toBe("255");
    backend.dispose();
  });
  test("that somebody turned off is turned on again, and told its duty anew", async () => {
    board = await fakeBoard("pi-3");
    const chip = await addGpioFan(board, 14);
    const [pwm, enable] = [join(chip, "pwm1"), join(chip, "pwm1_enable")];
    const backend = hwmonBackend({
      kind: "hwmon",
      chip: "pwmfan",
      pwm,
      enable,
      tachometer: null,
      range: 255,
      isInverted: false,
    });
    backend.open();
    backend.setDuty(half);
    writeFileSync(enable, "0\n");
    backend.setDuty(half);
    expect([read(enable), read(pwm)]).toEqual(["1", "128"]);
    // a driver that takes what it is told, and does nothing
    await rm(enable);
    symlinkSync("/dev/null", enable);
    backend.dispose();
    expect(() => backend.setDuty(half)).toThrow(`${enable}: does not follow: 1 was written, NaN is read`);
    backend.dispose();
  });
  test("that is gone is an error, and disposing of it is none", async () => {
    board = await fakeBoard("pi-3");
    const pwm = join(board.folder, "none/pwm1");
    const backend = hwmonBackend({
      kind: "hwmon",
      chip: "x",
      pwm,
      enable: null,
      tachometer: null,
      range: 255,
      isInverted: false,
    });
    expect(() => backend.open()).toThrow(`${pwm}: failed`);
    backend.dispose();
  });
});

describe("a PWM channel", () => {
  const output = (chip: string, isInverted = false) =>
    ({ kind: "pwm", chip, channel: 0, periodNanoseconds: 40_000, range: 1000, isInverted }) as const;
  async function channel(changed: Readonly<Record<string, string>> = {}): Promise<string> {
    board = await fakeBoard("pi-4");
    const chip = await addPwm(board, { ...header["pi-4"], pins: [18] });
    const folder = "sys/class/pwm/pwmchip0/pwm0";
    await board.put(exportedChannel(folder));
    await board.put(
      Object.fromEntries(Object.entries(changed).map(([name, text]) => [`${folder}/${name}`, text])),
    );
    return chip;
  }
  const values = (chip: string) =>
    ["period", "duty_cycle", "enable"].map((name) => Number(read(join(chip, "pwm0", name))));
  test("is taken at full speed, driven, and left running", async () => {
    const chip = await channel();
    const backend = pwmBackend(output(chip));
    backend.open();
    expect(values(chip)).toEqual([40_000, 40_000, 1]);
    expect(backend.setDuty(percent(30))).toBe(percent(30));
    expect(values(chip)).toEqual([40_000, 12_000, 1]);
    backend.dispose();
    expect(values(chip)).toEqual([40_000, 40_000, 1]);
    expect(read(join(chip, "unexport"))).toBe("");
  });
  test.each([
    ["turned off", "enable", "0\n"],
    ["given another period", "period", "80000\n"],
  ])("that somebody has %s is taken again", async (_, name, text) => {
    const chip = await channel();
    const backend = pwmBackend(output(chip));
    backend.open();
    backend.setDuty(half);
    writeFileSync(join(chip, "pwm0", name), text);
    expect(backend.setDuty(half)).toBe(half);
    expect(values(chip)).toEqual([40_000, 20_000, 1]);
    backend.dispose();
  });
  test("that runs at another frequency is taken at full speed", async () => {
    const chip = await channel({ period: "1000000\n", duty_cycle: "900000\n", enable: "1\n" });
    pwmBackend(output(chip)).open();
    expect(values(chip)).toEqual([40_000, 40_000, 1]);
  });
  test.each([
    [{ period: 0, duty_cycle: 0, enable: 0 }, 40_000, 40_000],
    [{ period: 0, duty_cycle: 0, enable: 0 }, 40_000, 0],
    [{ period: 1_000_000, duty_cycle: 900_000, enable: 1 }, 40_000, 40_000],
    [{ period: 1_000_000, duty_cycle: 900_000, enable: 1 }, 40_000, 0],
    [{ period: 1_000_000, duty_cycle: 10_000, enable: 1 }, 40_000, 40_000],
    [{ period: 20_000, duty_cycle: 5000, enable: 1 }, 40_000, 40_000],
    [{ period: 40_000, duty_cycle: 5000, enable: 1 }, 40_000, 40_000],
  ] as const)("is never told what the kernel refuses, nor stopped: %j", (begin, period, full) => {
    let state: ChannelState = begin;
    for (const [name, value] of takeChannel(begin, period, full)) {
      state = { ...state, [name]: value };
      expect({ state, isTaken: state.duty_cycle <= state.period }).toEqual({ state, isTaken: true });
      expect(state.enable).toBeGreaterThanOrEqual(begin.enable);
    }
    expect(state).toEqual({ period, duty_cycle: full, enable: 1 });
  });
  test("turned round is fast when it is low", async () => {
    const chip = await channel();
    const backend = pwmBackend(output(chip, true));
    backend.open();
    expect(values(chip)).toEqual([40_000, 0, 1]);
    backend.setDuty(percent(25));
    expect(values(chip)).toEqual([40_000, 30_000, 1]);
    backend.dispose();
    expect(values(chip)).toEqual([40_000, 0, 1]);
  });
  test("that does not appear is an error", async () => {
    const chip = await channel();
    await rm(join(chip, "pwm0"), { recursive: true });
    expect(() => pwmBackend(output(chip)).open()).toThrow("did not appear when it was exported");
    expect(read(join(chip, "export"))).toBe("0");
  });
});

describe("a line of a GPIO chip", () => {
  const gpio = { kind: "gpio", label: "pinctrl-bcm2711", line: 18, isInverted: false } as const;
  test("is asked for as an output that is high from the first moment on", async () => {
    board = await fakeBoard("pi-4");
    const asked: [number, string][] = [];
    let level = 0;
    const backend = gpioBackend(
      { ...gpio, device: join(board.folder, "dev/gpiochip0") },
      (_, request, bytes) => {
        asked.push([
          request,
          Buffer.from(bytes)
            .toString("hex")
            .replace(/(00)+$/, ""),
        ]);
        // the file of the line: one that may be closed
        if (request === 0xc250b407)
          new DataView(bytes.buffer).setInt32(588, openSync("/dev/null", "r"), true);
        if (request === 0xc010b40f) level = bytes[0] ?? 0;
        if (request === 0xc010b40e) bytes[0] = level;
      },
    );
    backend.open();
    const [request = [0, ""]] = asked;
    const bytes = Buffer.from(request[1].padEnd(1184, "0"), "hex");
    expect({
      line: bytes.readUInt32LE(0),
      consumer: bytes.toString("latin1", 256, 266),
      flags: bytes.readBigUInt64LE(288),
      attributes: bytes.readUInt32LE(296),
      attribute: [bytes.readUInt32LE(320), bytes.readBigUInt64LE(328), bytes.readBigUInt64LE(336)],
      lines: bytes.readUInt32LE(560),
    }).toEqual({
      line: 18,
      consumer: "berry fand",
      flags: 8n,
      attributes: 1,
      attribute: [2, 1n, 1n],
      lines: 1,
    });
    expect(backend.setDuty(percent(0))).toBe(percent(0));
    expect(level).toBe(0);
    expect(backend.setDuty(half)).toBe(percent(100));
    backend.setDuty(percent(0));
    backend.dispose();
    expect(level).toBe(1);
    backend.dispose();
  });
  test("that cannot be had is an error that names it", async () => {
    board = await fakeBoard("pi-4");
    const device = join(board.folder, "dev/gpiochip0");
    // a plain file knows none of the requests
    expect(() => gpioBackend({ ...gpio, device }, openIoctl()).open()).toThrow(
      `line 18 of ${device}: cannot be had`,
    );
    expect(() =>
      gpioBackend({ ...gpio, device }, () => {
        throw new Error("EBUSY in ioctl");
      }).open(),
    ).toThrow("is taken");
  });
});

describe("pigpio", () => {
  function library(): { calls: string[]; pigpio: Pigpio } {
    const calls: string[] = [];
    let duty = 0;
    class Gpio {
      static readonly OUTPUT = 1;
      readonly pin: number;
      constructor(pin: number) {
        this.pin = pin;
        calls.push(`new ${pin}`);
      }
      readonly #set = (name: string, value: number) => {
        duty = value;
        calls.push(`${name} ${value}`);
      };
      mode = (value: number) => calls.push(`mode ${value}`);
      digitalWrite = (value: number) => this.#set("write", value);
      digitalRead = () => duty;
      pwmFrequency = (value: number) => calls.push(`frequency ${value}`);
      pwmRange = (value: number) => calls.push(`range ${value}`);
      pwmWrite = (value: number) => this.#set("pwm", value);
      hardwarePwmWrite = (hertz: number, value: number) => this.#set(`hardware ${hertz}`, value);
      getPwmDutyCycle = () => duty;
    }
    return { calls, pigpio: { Gpio, terminate: () => void calls.push("terminate") } };
  }
  const output = {
    kind: "pigpio",
    library: "/usr/lib/libpigpio.so.1",
    label: "pinctrl-bcm2711",
    mode: "pwm",
    frequencyHz: 25_000,
    range: 255,
    isInverted: false,
  } as const;
  const ended = ["write 1", "mode 1", "write 1", "terminate"];
  test("drives a pin that has a PWM by hardware", () => {
    const { calls, pigpio } = library();
    const backend = pigpioBackend({ ...output, pin: 18 }, () => pigpio);
    backend.open();
    expect(backend.setDuty(percent(30))).toBe(percent(30));
    backend.dispose();
    backend.dispose();
    expect(calls).toEqual(["new 18", "hardware 25000 1000000", "hardware 25000 300000", ...ended]);
  });
  test("drives any other pin by DMA", () => {
    const { calls, pigpio } = library();
    const backend = pigpioBackend({ ...output, pin: 17 }, () => pigpio);
    backend.open();
    backend.setDuty(percent(20));
    backend.dispose();
    expect(calls).toEqual(["new 17", "range 255", "frequency 25000", "pwm 255", "pwm 51", ...ended]);
  });
  test("switches", () => {
    const { calls, pigpio } = library();
    const backend = pigpioBackend({ ...output, pin: 17, mode: "on-off", isInverted: true }, () => pigpio);
    backend.open();
    backend.setDuty(percent(0));
    backend.dispose();
    expect(calls).toEqual(["new 17", "write 0", "write 1", "write 0", "mode 1", "write 0", "terminate"]);
  });
});
