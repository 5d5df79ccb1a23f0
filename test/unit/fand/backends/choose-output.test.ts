import { afterEach, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { chooseOutput, chooseOutputs } from "../../../../src/fand/backends/choose-output.ts";
import { collectMachine } from "../../../../src/fand/backends/collect-machine-file.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import {
  addCoolingFan,
  addGpioFan,
  addPwm,
  addPwmFan,
  cells,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});
async function boardOf(name: Parameters<typeof fakeBoard>[0]): Promise<FakeBoard> {
  board = await fakeBoard(name);
  return board;
}

/** What a fan.toml gets on a board, with the board's folder left out. */
function chosen(one: FakeBoard, toml: string) {
  const settings = composeFand(
    Bun.TOML.parse(toml) as Record<string, unknown>,
    null,
    startDiagnosis("fand.toml"),
  );
  const [fan] = settings.fans;
  if (fan === undefined) throw new Error("there is no fan");
  const choice = chooseOutput(fan, collectMachine(one.roots, true));
  return JSON.parse(JSON.stringify(choice).replaceAll(one.folder, "")) as typeof choice;
}
const refused = (one: FakeBoard, toml: string) => {
  const { output, refusals } = chosen(one, toml);
  expect(output).toBeNull();
  return refusals.map(({ backend, why }) => `${backend}: ${why}`);
};

describe("a machine", () => {
  test("is known by its device tree", async () => {
    const machine = collectMachine((await boardOf("pi-3")).roots, true);
    expect(machine).toMatchObject({
      model: "Raspberry Pi 3 Model B Rev 1.2",
      board: { name: "pi2-3" },
      keepsOutputs: null,
    });
  });
  test("has the header's GPIO chip alone, whatever its number", async () => {
    for (const [name, label, number] of [
      ["pi-3", "pinctrl-bcm2835", 0],
      ["pi-4", "pinctrl-bcm2711", 0],
      ["pi-5", "pinctrl-rp1", 4],
    ] as const) {
      const one = await boardOf(name);
      expect(collectMachine(one.roots, true).gpio).toEqual([
        { device: `${one.folder}/dev/gpiochip${number}`, label, isWritable: true },
      ]);
      await rm(one.folder, { recursive: true });
    }
    board = null;
  });
  test("that is no Pi has nothing", async () => {
    const one = await boardOf("pi-3");
    const nowhere = { ...one.roots, sys: "/nonexistent", deviceTree: "/nonexistent" };
    expect(collectMachine(nowhere, false)).toMatchObject({
      model: null,
      board: null,
      hwmon: [],
      pwm: [],
      gpio: [],
    });
  });
});

describe("a PWM fan", () => {
  test.each(["pi-3", "pi-4", "pi-5"] as const)(
    "on GPIO 18 of %s is at its device-tree address",
    async (name) => {
      const one = await boardOf(name);
      // another controller, under a lower number than the header's
      await addPwm(one, { ...header[name], number: 7, pins: [18] });
      await addPwm(one, {
        number: 1,
        address: "other.pwm",
        node: "soc/pwm@7e20c800",
        channels: 2,
        pins: [40],
        phandle: 60,
      });
      expect(chosen(one, "pin = 18")).toMatchObject({
        output: {
          kind: "pwm",
          chip: "/sys/class/pwm/pwmchip7",
          channel: name === "pi-5" ? 2 : 0,
          periodNanoseconds: 40_000,
          isInverted: false,
        },
        warnings: [],
        refusals: [{ backend: "hwmon" }],
      });
    },
  );
  test("has the frequency and the polarity that are asked for", async () => {
    const one = await boardOf("pi-4");
    await addPwm(one, { ...header["pi-4"], pins: [12, 13] });
    expect(chosen(one, "pin = 13\nfrequency = 50\ninverted = true").output).toMatchObject({
      channel: 1,
      periodNanoseconds: 20_000_000,
      isInverted: true,
    });
    // no duty is finer than a nanosecond
    expect(chosen(one, "pin = 13\nrange = 1000000").output).toMatchObject({ range: 40_000 });
    await one.put({ "sys/class/pwm/pwmchip0/pwm1/polarity": "inversed\n" });
    expect(chosen(one, "pin = 13").output).toMatchObject({ isInverted: true });
  });
  test("without an overlay is told which line to add", async () => {
    const one = await boardOf("pi-4");
    expect(chosen(one, "pin = 18").refusals).toMatchObject([
      { backend: "hwmon" },
      {
        backend: "pwm",
        why: "no PWM controller at fe20c000.pwm",
        remedy: "dtoverlay=pwm,pin=18,func=2 in config.txt, then reboot",
      },
      { backend: "gpio", why: "a GPIO line is on or off" },
      { backend: "pigpio", why: "libpigpio.so.1 is not installed" },
    ]);
  });
  test("is not on a controller that is wired to other pins, as mainline's Pi 3 is to its audio", async () => {
    const one = await boardOf("pi-3");
    await addPwm(one, { ...header["pi-3"], pins: [40, 41] });
    expect(refused(one, 'pin = 18\nbackend = "pwm"')).toEqual([
      "pwm: the PWM controller at 3f20c000.pwm is wired to GPIO 40, GPIO 41, not to GPIO 18",
    ]);
    expect(refused(one, 'pin = 17\nbackend = "pwm"')).toEqual(["pwm: GPIO 17 has no PWM in hardware"]);
  });
  test("of the kernel's is hwmon, found by the pin of its PWM", async () => {
    const one = await boardOf("pi-4");
    await addPwm(one, { ...header["pi-4"], pins: [18] });
    await addPwmFan(one, "pwm-fan", [20, 0, 40_000, 0]);
    expect(chosen(one, "pin = 18").output).toMatchObject({
      kind: "hwmon",
      chip: "pwmfan",
      pwm: "/sys/class/hwmon/hwmon2/pwm1",
    });
    expect(refused(one, 'pin = 18\nbackend = "pwm"')).toEqual([
      "pwm: the kernel's fan driver has it: hwmon chip pwmfan",
    ]);
    expect(chosen(one, "pin = 19").refusals).toMatchObject([
      { why: "hwmon chip pwmfan drives GPIO 18" },
      {},
      {},
      {},
    ]);
  });
  test("by the overlay pwm-gpio-fan is hwmon, on the pin of its software PWM", async () => {
    const one = await boardOf("pi-4");
    await one.put({
      "sys/firmware/devicetree/base/pwm_gpio/phandle": cells(77),
      "sys/firmware/devicetree/base/pwm_gpio/gpios": cells(7, 18, 0),
    });
    await addPwmFan(one, "cooling_fan", [77, 0, 20_000_000, 0]);
    expect(chosen(one, "pin = 18").output).toMatchObject({ kind: "hwmon", chip: "pwmfan" });
  });
});

describe("the Pi 5's fan connector", () => {
  test("is the kernel's cooling_fan, with its tachometer", async () => {
    const one = await boardOf("pi-5");
    await addCoolingFan(one);
    expect(chosen(one, "").output).toEqual({
      kind: "hwmon",
      chip: "pwmfan",
      pwm: "/sys/class/hwmon/hwmon2/pwm1",
      enable: "/sys/class/hwmon/hwmon2/pwm1_enable",
      tachometer: "/sys/class/hwmon/hwmon2/fan1_input",
      range: 255,
      isInverted: false,
    });
  });
  test("has a frequency and a range of its own: 255 is full speed", async () => {
    const one = await boardOf("pi-5");
    await addCoolingFan(one);
    expect(chosen(one, "frequency = 50\nrange = 100")).toMatchObject({
      output: { range: 255 },
      warnings: [
        { message: "frequency = 50 has no effect: the kernel's driver has its own" },
        { message: "range = 100 has no effect: the kernel's driver has its own" },
      ],
    });
  });
  test("is not what a pin of the header means", async () => {
    const one = await boardOf("pi-5");
    await addCoolingFan(one);
    await addPwm(one, { ...header["pi-5"], pins: [18] });
    expect(chosen(one, "pin = 18")).toMatchObject({
      output: { kind: "pwm", chip: "/sys/class/pwm/pwmchip2", channel: 2 },
      refusals: [{ why: "hwmon chip pwmfan drives the fan connector" }],
    });
  });
  test("is a PWM channel where the kernel's driver is not loaded", async () => {
    const one = await boardOf("pi-5");
    await addPwm(one, {
      number: 0,
      address: "1f0009c000.pwm",
      node: "axi/pcie@120000/rp1/pwm@9c000",
      channels: 4,
      pins: [45],
    });
    expect(chosen(one, "").output).toMatchObject({
      kind: "pwm",
      chip: "/sys/class/pwm/pwmchip0",
      channel: 3,
    });
  });
});

describe("a fan that is switched", () => {
  test("is a line of the header's chip, and told when the kernel forgets it", async () => {
    const one = await boardOf("pi-zero-2");
    expect(chosen(one, 'pin = 14\nmode = "on-off"')).toMatchObject({
      output: { kind: "gpio", device: "/dev/gpiochip0", label: "pinctrl-bcm2835", line: 14 },
      warnings: [{ hint: expect.stringContaining("dtoverlay=gpio-fan,gpiopin=14") }],
    });
    await one.put({ "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "N\n" });
    expect(chosen(one, 'pin = 14\nmode = "on-off"').warnings).toMatchObject([
      { hint: expect.stringContaining("pinctrl-bcm2835.persist_gpio_outputs=1") },
    ]);
    await one.put({ "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "Y\n" });
    expect(chosen(one, 'pin = 14\nmode = "on-off"').warnings).toEqual([]);
  });
  test("is the kernel's gpio-fan where that has the pin", async () => {
    const one = await boardOf("pi-3");
    await addGpioFan(one, 14);
    expect(chosen(one, 'pin = 14\nmode = "on-off"').output).toMatchObject({
      kind: "hwmon",
      chip: "gpio_fan",
    });
    expect(refused(one, 'pin = 14\nbackend = "gpio"')).toEqual([
      "gpio: the kernel's fan driver has it: hwmon chip gpio_fan",
    ]);
  });
});

describe("pigpio", () => {
  test("needs its library, root, and no Pi 5", async () => {
    const one = await boardOf("pi-4");
    await one.put({ "usr/lib/libpigpio.so.1": "" });
    const fan = 'backend = "pigpio"\npin = 17';
    expect(chosen(one, fan).output).toMatchObject({
      kind: "pigpio",
      library: "/usr/lib/libpigpio.so.1",
      pin: 17,
    });
    expect(chosen(one, "pin = 17").output).toMatchObject({ kind: "pigpio" });
    const five = await fakeBoard("pi-5");
    expect(refused(five, fan)).toEqual([
      "pigpio: libpigpio does not know the Pi 5, whose pins are behind the RP1",
    ]);
    await rm(five.folder, { recursive: true });
  });
});

test("a backend that is named is the only one that is looked at", async () => {
  const one = await boardOf("pi-5");
  await addCoolingFan(one);
  expect(refused(one, 'backend = "hwmon"\nchip = "emc2301"')).toEqual([
    "hwmon: no hwmon chip emc2301 with a PWM output: there is pwmfan",
  ]);
  expect(refused(one, 'backend = "hwmon"\nchannel = 2')).toEqual([
    "hwmon: hwmon chip pwmfan has no pwm2, but pwm1",
  ]);
});

describe("several fans", () => {
  /** What each fan is driven by, or who has that already. */
  const shared = (one: FakeBoard, toml: string, libpigpio: string | null = null) => {
    const { fans } = composeFand(
      Bun.TOML.parse(toml) as Record<string, unknown>,
      null,
      startDiagnosis("fand.toml"),
    );
    const machine = { ...collectMachine(one.roots, true), libpigpio };
    return chooseOutputs(fans, machine).map(({ fan, output, refusals }) => {
      const taken = refusals.find(({ owner }) => owner !== undefined);
      const place = output?.kind === "hwmon" ? output.pwm : output?.kind;
      return `${fan.name}: ${place ?? taken?.why ?? "nothing"}`.replaceAll(one.folder, "");
    });
  };
  const unnamed = '[[fan]]\nname = "hot"\n[[fan]]\nname = "cold"\n';
  /** A chip with two outputs. */
  async function twoOutputs(): Promise<FakeBoard> {
    const one = await boardOf("pi-4");
    await addPwmFan(one, "pwm-fan", [20, 0, 40_000, 0]);
    await one.put({ "sys/devices/platform/pwm-fan/hwmon/hwmon2/pwm2": "75\n" });
    return one;
  }

  test("are never driven by one output: the second is told whose it is", async () => {
    const one = await boardOf("pi-4");
    await addPwmFan(one, "pwm-fan", [20, 0, 40_000, 0]);
    const pwm = "/sys/class/hwmon/hwmon2/pwm1";
    expect(shared(one, unnamed)).toEqual([
      `hot: ${pwm}`,
      `cold: hwmon chip pwmfan (${pwm}) is that of fan hot`,
    ]);
    const named = '[[fan]]\nname = "a"\nchip = "pwmfan"\n[[fan]]\nname = "b"\nbackend = "hwmon"\n';
    expect(shared(one, named)[1]).toEndWith("is that of fan a");
  });
  test("get the outputs that the others have left", async () => {
    const one = await twoOutputs();
    const [first, second] = [1, 2].map((number) => `/sys/class/hwmon/hwmon2/pwm${number}`);
    expect(shared(one, unnamed)).toEqual([`hot: ${first}`, `cold: ${second}`]);
    expect(shared(one, `${unnamed}channel = 1\nchip = "pwmfan"\n`)).toEqual([
      `hot: ${second}`,
      `cold: ${first}`,
    ]);
    expect(shared(one, `${unnamed}[[fan]]\nname = "third"\n`)[2]).toStartWith("third: hwmon chip pwmfan");
  });
  test("who names a pin has it, and another's driver of the same pin is no other output", async () => {
    const one = await boardOf("pi-4");
    await addGpioFan(one, 18);
    const toml = '[[fan]]\nname = "a"\n[[fan]]\nname = "b"\nmode = "on-off"\npin = 18\n';
    expect(shared(one, toml)).toEqual([
      "a: hwmon chip gpio_fan (/sys/class/hwmon/hwmon1/pwm1) is that of fan b",
      "b: /sys/class/hwmon/hwmon1/pwm1",
    ]);
    const library = toml.replace("pin = 18", 'backend = "pigpio"\npin = 18');
    expect(shared(one, library, "/usr/lib/libpigpio.so.1")).toEqual([
      "a: hwmon chip gpio_fan (/sys/class/hwmon/hwmon1/pwm1) is that of fan b",
      "b: pigpio",
    ]);
  });
  test("two pins of one channel are one output, unless they are only switched", async () => {
    const one = await boardOf("pi-4");
    await addPwm(one, { ...header["pi-4"], pins: [12, 18] });
    const pins = '[[fan]]\nname = "a"\npin = 12\n[[fan]]\nname = "b"\npin = 18\n';
    expect(shared(one, pins)).toEqual([
      "a: pwm",
      "b: PWM channel 0 of /sys/class/pwm/pwmchip0, 25000 Hz is that of fan a",
    ]);
    expect(shared(one, pins.replaceAll("pin", 'backend = "gpio"\npin'))).toEqual(["a: gpio", "b: gpio"]);
  });
});
