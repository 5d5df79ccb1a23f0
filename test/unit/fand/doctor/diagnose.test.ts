import { afterEach, describe, expect, test } from "bun:test";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { createStyle } from "../../../../src/cli/style.ts";
import { tellFindings } from "../../../../src/commands/fand/tell-doctor.ts";
import type { Ioctl } from "../../../../src/fand/backends/gpio-file.ts";
import { collectDoctorFacts } from "../../../../src/fand/doctor/collect-doctor-file.ts";
import { diagnose } from "../../../../src/fand/doctor/diagnose.ts";
import type { DoctorFacts } from "../../../../src/fand/doctor/facts.ts";
import type { Finding } from "../../../../src/fand/doctor/finding.ts";
import {
  addBootPartition,
  addCoolingFan,
  addGpioFan,
  addProcess,
  addPwm,
  addSwitchedOffConnector,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../../fixtures/fand-boards.ts";

const boards: FakeBoard[] = [];
afterEach(async () => {
  for (const { folder } of boards.splice(0)) await rm(folder, { recursive: true });
});
async function boardOf(name: Parameters<typeof fakeBoard>[0]): Promise<FakeBoard> {
  const board = await fakeBoard(name);
  boards.push(board);
  return board;
}

interface Surroundings {
  readonly unit?: Readonly<Record<string, string>>;
  readonly hasSystemd?: boolean;
  readonly systemctl?: (words: readonly string[]) => string | null;
  readonly uid?: number;
  readonly consumer?: string;
  readonly units?: string;
  readonly watchdogSeconds?: string;
  readonly hasScript?: boolean;
}

const running = { LoadState: "loaded", UnitFileState: "enabled", ActiveState: "active" };

/** What the doctor finds, of a machine where all else is well. */
async function examine(...words: Parameters<typeof collect>): Promise<readonly Finding[]> {
  return diagnose(await collect(...words));
}
async function collect(
  one: FakeBoard,
  toml: string | null,
  { unit = running, hasSystemd = true, uid = 0, units = "", hasScript = true, ...rest }: Surroundings = {},
): Promise<DoctorFacts> {
  const script = join(one.folder, "usr/lib/berry/fand-failsafe");
  await one.put({
    ...(toml === null ? {} : { "etc/berry/fand.toml": toml }),
    ...(hasSystemd ? { "run/systemd/system/x": "" } : {}),
    ...(hasScript ? { "usr/lib/berry/fand-failsafe": "#!/bin/sh\n" } : {}),
  });
  if (hasScript) await chmod(script, 0o755);
  const systemctl = (words: readonly string[]) => {
    if (words.includes("berry-fand.service"))
      return Object.entries(unit)
        .map(([name, value]) => `${name}=${value}\n`)
        .join("");
    return words.includes("list-units") ? units : `${rest.watchdogSeconds ?? "15s"}\n`;
  };
  const ioctl: Ioctl = (_file, _request, bytes) => {
    bytes.set(new TextEncoder().encode(rest.consumer ?? ""), 32);
    bytes[72] = rest.consumer === undefined ? 0 : 1;
  };
  return await collectDoctorFacts(
    {
      ...one.roots,
      proc: join(one.folder, "proc"),
      boot: [join(one.folder, "boot/firmware"), join(one.folder, "boot")],
      systemd: join(one.folder, "run/systemd/system"),
      failsafe: script,
      runFolder: "/run/berry",
    },
    null,
    {
      uid,
      systemctl: async (words) => (rest.systemctl === undefined ? systemctl(words) : rest.systemctl(words)),
      ioctl,
    },
    [join(one.folder, "etc/berry/fand.toml")],
  );
}

const told = (findings: readonly Finding[]) =>
  tellFindings(findings, createStyle(false)).map((line) => line.replaceAll(boards.at(-1)?.folder ?? "", ""));
const ill = (findings: readonly Finding[]) => told(findings.filter(({ severity }) => severity !== "ok"));
/** The one thing that is not well. */
async function only(...words: Parameters<typeof examine>): Promise<Exclude<Finding, { severity: "ok" }>> {
  const findings = (await examine(...words)).filter((finding) => finding.severity !== "ok");
  const [first] = findings;
  if (first === undefined || findings.length > 1)
    throw new Error(`not one finding: ${ill(findings).join("\n")}`);
  return first;
}
async function headerFan(name: "pi-3" | "pi-4", pins: readonly number[] = [18]): Promise<FakeBoard> {
  const one = await boardOf(name);
  await addPwm(one, { ...header[name], pins });
  await addBootPartition(one, { configTxt: `dtoverlay=pwm,pin=${pins[0]},func=${pins[0] === 18 ? 2 : 4}\n` });
  return one;
}

describe("the doctor", () => {
  test("finds nothing where nothing is missing", async () => {
    const one = await boardOf("pi-5");
    await addCoolingFan(one);
    await addBootPartition(one);
    expect(told(await examine(one, ""))).toEqual([
      "ok       Raspberry Pi 5 Model B Rev 1.0",
      "ok       /etc/berry/fand.toml is valid",
      "ok       sensor cpu: thermal zone of type cpu-thermal: 48.3 °C",
      "ok       fan fan: hwmon, hwmon chip pwmfan (/sys/class/hwmon/hwmon2/pwm1)",
      "ok       berry-fand.service runs",
    ]);
  });
  test("says plainly where it has nothing to do", async () => {
    const one = await boardOf("pi-4");
    await rm(join(one.folder, "sys/firmware"), { recursive: true });
    expect(told(await examine(one, null))).toEqual([
      "problem  not a Raspberry Pi, as there is no device tree: there is nothing to do here",
      "         → run it on the Pi whose fan it is about",
    ]);
  });
  test("is of use on another board whose kernel knows the fan", async () => {
    const one = await boardOf("pi-4");
    await addCoolingFan(one);
    await rm(join(one.folder, "sys/firmware/devicetree/base/compatible"));
    await one.put({ "sys/firmware/devicetree/base/model": "Some Board\0" });
    expect(ill(await examine(one, 'chip = "pwmfan"'))[0]).toBe(
      "warning  Some Board: berry does not know its PWM",
    );
  });
});

describe("a fan that nothing drives", () => {
  test.each([
    ["pi-4", "pin = 18", "dtoverlay=pwm,pin=18,func=2"],
    ["pi-3", "pin = 12", "dtoverlay=pwm,pin=12,func=4"],
    ["pi-5", "pin = 19", "dtoverlay=pwm,pin=19,func=2"],
    ["pi-4", 'pin = 18\nmode = "on-off"\nbackend = "hwmon"', "dtoverlay=gpio-fan,gpiopin=18"],
    ["pi-4", "pin = 17", "dtoverlay=pwm-gpio-fan,fan_gpio=17"],
    ["pi-5", "pin = 14", "dtoverlay=pwm-gpio-fan,fan_gpio=14"],
  ] as const)("on a %s with %s wants %p", async (name, toml, line) => {
    const one = await boardOf(name);
    await addBootPartition(one);
    const finding = await only(one, toml);
    expect(finding).toMatchObject({
      severity: "problem",
      kind: "unavailable",
      configLine: line,
      remedy: `add ${line} to ${one.folder}/boot/firmware/config.txt, below [all], then sudo reboot`,
    });
  });
  test("on the Pi 5's connector wants its parameter", async () => {
    const one = await boardOf("pi-5");
    await addBootPartition(one);
    await addSwitchedOffConnector(one);
    expect((await only(one, "")).remedy).toBe(
      `add dtparam=cooling_fan=on to ${one.folder}/boot/firmware/config.txt, below [all], then sudo reboot; the firmware does the same when it finds a fan there as it starts`,
    );
    await rm(join(one.folder, "sys/firmware/devicetree/base/cooling_fan"), { recursive: true });
    expect((await only(one, "")).remedy).toStartWith("the device tree of this kernel does not know the fan");
  });
  test("without a pin, where there is no connector, needs one", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one);
    expect(await only(one, "")).toMatchObject({
      configLine: null,
      remedy: "name the GPIO of the fan in /etc/berry/fand.toml, such as pin = 12",
    });
  });
  test("of two wants both channels in one overlay", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one, { configTxt: "dtoverlay=pwm,pin=18,func=2" });
    await addPwm(one, { ...header["pi-4"], pins: [18] });
    const toml = '[[fan]]\nname = "a"\npin = 18\n[[fan]]\nname = "b"\npin = 13\n';
    const finding = await only(one, toml);
    expect(finding.remedy).toBe(
      `put dtoverlay=pwm-2chan,pin=18,func=2,pin2=13,func2=4 in place of dtoverlay=pwm,pin=18,func=2 in ${one.folder}/boot/firmware/config.txt, then sudo reboot`,
    );
  });
  test("whose line was written after the last boot needs a reboot", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one, {
      configTxt: "[all]\ndtoverlay=pwm,func=2,pin=18 \n",
      changedAt: 1_700_000_100,
    });
    expect((await only(one, "pin = 18")).remedy).toBe(
      `${one.folder}/boot/firmware/config.txt has dtoverlay=pwm,func=2,pin=18 already, and it is not loaded yet: sudo reboot`,
    );
  });
  test("whose line was there before the last boot has another trouble", async () => {
    const one = await boardOf("pi-4");
    const configTxt = "dtoverlay=pwm,pin=18,func=2\n";
    await addBootPartition(one, { configTxt });
    expect((await only(one, "pin = 18")).remedy).toContain("the firmware did not take it: sudo vclog --msg");
    await rm(join(one.folder, "boot/firmware/overlays/pwm.dtbo"));
    expect((await only(one, "pin = 18")).remedy).toContain("overlays/pwm.dtbo is not there beside");
    await rm(join(one.folder, "sys/firmware/devicetree/base/__symbols__"), { recursive: true });
    expect((await only(one, "pin = 18")).remedy).toContain("has no symbols");
  });
  test("as its driver is not loaded is told which one", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one, {
      configTxt: "dtoverlay=pwm,pin=18,func=2\ndtoverlay=gpio-fan,gpiopin=17\n",
    });
    const node = "sys/firmware/devicetree/base/soc/pwm@7e20c000";
    await one.put({ [`${node}/compatible`]: "brcm,bcm2835-pwm\0", [`${node}/status`]: "okay\0" });
    expect((await only(one, "pin = 18")).remedy).toContain("sudo modprobe pwm-bcm2835;");
    await one.put({ [`${node}/status`]: "disabled\0" });
    expect((await only(one, "pin = 18")).remedy).toContain("did not take it");
    await one.put({ "sys/firmware/devicetree/base/gpio-fan@0/compatible": "gpio-fan\0" });
    const toml = 'pin = 17\nmode = "on-off"\nbackend = "hwmon"';
    expect((await only(one, toml)).remedy).toContain("sudo modprobe gpio-fan;");
  });
  test("is not sent to config.txt where the firmware applies no overlay", async () => {
    const one = await boardOf("pi-3");
    await addBootPartition(one, { hasSymbols: false });
    expect((await only(one, 'pin = 18\nmode = "on-off"\nbackend = "hwmon"')).remedy).toEndWith(
      'or backend = "gpio", which needs no overlay',
    );
    const two = await boardOf("pi-3");
    await addBootPartition(two);
    await two.put({ "sys/firmware/devicetree/base/chosen/u-boot,version": "2024.01\0" });
    expect((await only(two, "pin = 18")).remedy).toStartWith("U-Boot starts this kernel");
  });
  test("whose line is for another board is told so", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one, { configTxt: "[cm5]\ndtoverlay=pwm,pin=18,func=2\n[all]\n" });
    expect((await only(one, "pin = 18")).remedy).toBe(
      `${one.folder}/boot/firmware/config.txt has dtoverlay=pwm,pin=18,func=2 below [cm5], which is not this board: move it below [all]`,
    );
  });
  test("is mended where the distribution makes config.txt, too", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one, { configTxt: "# made from /etc/default/raspi-firmware-custom\n" });
    expect((await only(one, "pin = 18")).remedy).toContain(
      "boot/firmware/config.txt and /etc/default/raspi-firmware-custom, below [all]",
    );
  });
  test("as the kernel's driver has its pin is sent there", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one);
    await addGpioFan(one, 18);
    expect(await only(one, 'pin = 18\nmode = "on-off"\nbackend = "gpio"')).toMatchObject({
      what: "fan fan: nothing drives it: gpio: the kernel's fan driver has it: hwmon chip gpio_fan",
      remedy: 'use backend = "hwmon"',
      configLine: null,
    });
  });
  test("as the kernel's driver has its pin is not sent to an overlay, either", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one);
    await addGpioFan(one, 18);
    expect((await only(one, 'pin = 18\nbackend = "pwm"')).remedy).toBe('use backend = "hwmon"');
  });
  test("as libpigpio is not there is told how to get it", async () => {
    const one = await boardOf("pi-4");
    await addBootPartition(one);
    expect((await only(one, 'pin = 18\nbackend = "pigpio"')).remedy).toStartWith("install pigpio");
    const five = await boardOf("pi-5");
    await addBootPartition(five);
    expect((await only(five, 'pin = 18\nbackend = "pigpio"')).what).toContain(
      "libpigpio does not know the Pi 5",
    );
  });
});

describe("a fan that something drives", () => {
  test("is told of a pin that somebody else has asked for", async () => {
    const one = await headerFan("pi-4");
    expect(await only(one, "pin = 18", { consumer: "spi0 CS0" })).toMatchObject({
      severity: "problem",
      what: "fan fan: GPIO 18 is taken: spi0 CS0 has asked for it",
    });
    expect(ill(await examine(one, "pin = 18", { consumer: "berry fand" }))).toEqual([]);
  });
  test("is told of a pin that the kernel routes elsewhere", async () => {
    const one = await headerFan("pi-4");
    const path = "sys/kernel/debug/pinctrl/fe200000.gpio-pinctrl-bcm2711/pinmux-pins";
    const line = (owner: string) => `pin 17 (gpio17): x\npin 18 (gpio18): ${owner}\n`;
    for (const owner of [
      "fe20c000.pwm (GPIO UNCLAIMED) function alt5 group gpio18",
      "(MUX UNCLAIMED) (GPIO UNCLAIMED)",
      "UNCLAIMED",
      "GPIO pinctrl-bcm2711:530",
      "device fe20c000.pwm function alt5 group gpio18",
    ]) {
      await one.put({ [path]: line(owner) });
      expect(ill(await examine(one, "pin = 18"))).toEqual([]);
    }
    await one.put({ [path]: line("fe203000.i2s (GPIO UNCLAIMED) function alt0 group gpio18") });
    expect((await only(one, "pin = 18")).what).toBe(
      "fan fan: GPIO 18 is taken: the kernel routes it to fe203000.i2s",
    );
  });
  test("is told of an overlay that routes something else to its pin", async () => {
    const one = await boardOf("pi-4");
    await addPwm(one, { ...header["pi-4"], pins: [12] });
    await addBootPartition(one, { configTxt: "dtoverlay=pwm,pin=12\n" });
    expect(await only(one, "pin = 12")).toMatchObject({
      severity: "problem",
      what: "fan fan: dtoverlay=pwm,pin=12 routes something else than the PWM to GPIO 12: function 2",
      configLine: "dtoverlay=pwm,pin=12,func=4",
    });
  });
  test("is told of a second fan on the same channel", async () => {
    const one = await headerFan("pi-4", [18, 12]);
    const toml = '[[fan]]\nname = "a"\npin = 18\n[[fan]]\nname = "b"\npin = 12\n';
    expect(await only(one, toml)).toMatchObject({
      kind: "config",
      what: "fan b: GPIO 12 is the same PWM channel as GPIO 18 of fan a",
    });
  });
  test("is told of another fan that has the only output", async () => {
    const one = await boardOf("pi-5");
    await addCoolingFan(one);
    const toml = '[[fan]]\nname = "a"\n[[fan]]\nname = "b"\n';
    const finding = await only(one, toml);
    expect(finding.what).toEndWith("/sys/class/hwmon/hwmon2/pwm1) is that of fan a");
    expect(finding.what).toStartWith("fan b: nothing drives it: hwmon: hwmon chip pwmfan (");
    expect(finding).toMatchObject({
      remedy: "give each fan an output of its own: pin, or chip and channel",
      kind: "config",
    });
  });
  test("is told of a frequency that does not suit it", async () => {
    const one = await headerFan("pi-4");
    expect((await only(one, "pin = 18\nfrequency = 50")).remedy).toContain("Argon mini");
    expect((await only(one, "pin = 18\nfrequency = 1520")).what).toEndWith("want 25000, and this whines");
    expect(ill(await examine(one, "pin = 18\nfrequency = 25000"))).toEqual([]);
  });
  test("before the Pi 4 is told of the jack's sound, which is the same PWM", async () => {
    const cards = " 0 [Headphones]: bcm2835_headpho - bcm2835 Headphones\n";
    const one = await headerFan("pi-3");
    await one.put({ "proc/asound/cards": cards });
    expect(await only(one, "pin = 18")).toMatchObject({
      severity: "warning",
      configLine: "dtparam=audio=off",
    });
    await one.put({ "proc/asound/cards": " 0 [b1]: bcm2835_hdmi - bcm2835 HDMI 1\n" });
    expect(ill(await examine(one, "pin = 18"))).toEqual([]);
    const four = await headerFan("pi-4");
    await four.put({ "proc/asound/cards": cards });
    expect(ill(await examine(four, "pin = 18"))).toEqual([]);
  });
  test("by a GPIO line is told that the kernel forgets it", async () => {
    const one = await boardOf("pi-3");
    await addBootPartition(one);
    const toml = 'pin = 18\nmode = "on-off"';
    expect(await only(one, toml)).toMatchObject({
      severity: "warning",
      configLine: "dtoverlay=gpio-fan,gpiopin=18",
    });
    await one.put({ "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "Y\n" });
    expect(ill(await examine(one, toml))).toEqual([]);
    // where the script holds it after the daemon's death
    expect(ill(await examine(one, toml, { consumer: "sysfs" }))).toEqual([]);
    expect(ill(await examine(one, toml, { consumer: "gpio-keys" }))[0]).toContain(
      "gpio-keys has asked for it",
    );
  });
});

describe("what is around a fan", () => {
  test("a sensor whose file seems to hold degrees", async () => {
    const one = await headerFan("pi-4");
    const file = join(one.folder, "probe");
    await one.put({ probe: "850\n" });
    const toml = `pin = 18\n[[sensor]]\nname = "x"\nfile = "${file}"`;
    const warnings = (await examine(one, toml)).filter(({ severity }) => severity === "warning");
    expect(warnings.map(({ what }) => what)).toContainEqual(
      expect.stringContaining("sensor x: 850 is 0.85 °C: a file holds millidegrees"),
    );
  });
  test("a sensor in doubt", async () => {
    const one = await headerFan("pi-4");
    expect(await only(one, 'pin = 18\n[[sensor]]\nname = "x"\nhwmon = "lm75"')).toMatchObject({
      severity: "problem",
      what: "sensor x: missing: no hwmon chip lm75: there is cpu_thermal",
    });
  });
  test("a configuration that is wrong, of which every problem is told", async () => {
    const one = await headerFan("pi-4");
    const findings = await examine(one, "pin = 99\nmode = 7\n");
    expect(findings.filter(({ severity }) => severity === "problem")).toHaveLength(2);
    expect(findings.find(({ severity }) => severity === "problem")).toMatchObject({ kind: "config" });
    expect(ill(await examine(one, "pin = = 3"))[0]).toStartWith("problem  ");
  });
  test("a configuration that others may write to", async () => {
    const one = await headerFan("pi-4");
    await examine(one, "pin = 18");
    await chmod(join(one.folder, "etc/berry/fand.toml"), 0o666);
    const [finding] = (await examine(one, "pin = 18")).filter(({ severity }) => severity !== "ok");
    expect(finding).toMatchObject({ kind: "config", remedy: `chmod go-w ${one.folder}/etc/berry/fand.toml` });
  });
  test.each([
    [{ LoadState: "not-found" }, "berry-fand.service is not installed: nothing starts the daemon"],
    [{ ...running, LoadState: "masked" }, "berry-fand.service is masked"],
    [
      { ...running, UnitFileState: "disabled" },
      "berry-fand.service is not enabled: after the next boot nothing drives the fans",
    ],
    [{ ...running, ActiveState: "failed" }, "berry-fand.service has failed"],
    [{ ...running, ActiveState: "inactive" }, "berry-fand.service does not run: inactive"],
    [
      { ...running, ActiveState: "activating" },
      "berry-fand.service does not come up: it starts again and again, or still",
    ],
  ])("a unit that is %p", async (unit, what) => {
    const one = await headerFan("pi-4");
    expect(await only(one, "pin = 18", { unit })).toMatchObject({ severity: "problem", what });
  });
  test("a system without systemd, or with one that is silent", async () => {
    const one = await headerFan("pi-4");
    expect((await only(one, "pin = 18", { systemctl: () => null })).what).toStartWith(
      "systemctl does not answer",
    );
    const two = await headerFan("pi-4");
    expect((await only(two, "pin = 18", { hasSystemd: false })).what).toStartWith(
      "systemd does not run here",
    );
  });
  test("a script that is missing, where the unit is there", async () => {
    const one = await headerFan("pi-4");
    expect((await only(one, "pin = 18", { hasScript: false })).what).toEndWith(
      "is not there: nobody raises the fans when the daemon is dead",
    );
    expect(
      (await only(one, "pin = 18", { hasScript: false, unit: { LoadState: "not-found" } })).what,
    ).toContain("is not installed");
  });
  test("a hardware watchdog that nobody feeds", async () => {
    const one = await headerFan("pi-4");
    await one.put({ "dev/watchdog0": "" });
    expect((await only(one, "pin = 18", { watchdogSeconds: "0" })).severity).toBe("warning");
    expect(ill(await examine(one, "pin = 18", { watchdogSeconds: "1min" }))).toEqual([]);
  });
  test("other fan daemons, by unit or process", async () => {
    const one = await headerFan("pi-4");
    expect(
      (await only(one, "pin = 18", { units: "argononed.service loaded active running x\n" })).what,
    ).toStartWith("argononed runs, too");
    await addProcess(one, 41, ["/bin/bash", "/usr/sbin/fancontrol"]);
    expect((await only(one, "pin = 18")).remedy).toBe("sudo systemctl disable --now fancontrol");
  });
  test("pigpiod, which matters where berry needs its library", async () => {
    const one = await headerFan("pi-4");
    await addProcess(one, 7, ["/usr/bin/pigpiod", "-l"]);
    expect((await only(one, "pin = 18")).severity).toBe("warning");
    await one.put({ "usr/lib/libpigpio.so.1": "" });
    expect((await only(one, 'pin = 18\nbackend = "pigpio"')).severity).toBe("problem");
  });
  test("a node_exporter that does not read berry's metrics", async () => {
    const one = await headerFan("pi-4");
    await addProcess(one, 9, ["/usr/bin/prometheus-node-exporter"]);
    expect((await only(one, "pin = 18")).what).toEndWith("names no textfile directory");
    await addProcess(one, 9, ["/usr/bin/node_exporter", "--collector.textfile.directory=/var/lib/x"]);
    expect((await only(one, "pin = 18")).what).toEndWith("has /var/lib/x");
    await addProcess(one, 9, ["node_exporter", "--collector.textfile.directory", "/run/berry/"]);
    expect(ill(await examine(one, "pin = 18"))).toEqual([]);
  });
  test("a user who is not root, and is told what root would find", async () => {
    const one = await headerFan("pi-4");
    const facts = await collect(one, "pin = 18");
    const pwm = facts.machine.pwm.map((chip) => ({ ...chip, isWritable: false }));
    const machine = { ...facts.machine, pwm, isRoot: false };
    expect(ill(diagnose({ ...facts, isRoot: false, machine }))).toEqual([
      "warning  not root: who has asked for a pin is not seen, and whether root may write to the outputs",
      "         → sudo berry fand doctor",
    ]);
    // where root may not, either, something is wrong
    expect(ill(diagnose({ ...facts, machine: { ...facts.machine, pwm } }))[0]).toContain(
      "may not be written to",
    );
  });
});
