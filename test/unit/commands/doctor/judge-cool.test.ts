import { describe, expect, test } from "bun:test";
import { judgeCool } from "../../../../src/commands/doctor/judge-cool.ts";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { boardOf, type Machine } from "../../../../src/fand/backends/machine.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import type { DoctorFacts } from "../../../../src/fand/doctor/facts.ts";
import { celsius } from "../../../../src/fand/units.ts";

const pi4: Machine = {
  model: "Raspberry Pi 4 Model B Rev 1.5",
  board: boardOf(["raspberrypi,4-model-b", "brcm,bcm2711"]),
  hwmon: [],
  pwm: [
    {
      path: "/sys/class/pwm/pwmchip0",
      address: "fe20c000.pwm",
      channelCount: 2,
      pins: [18],
      inversedChannels: [],
      isWritable: true,
    },
  ],
  gpio: [{ device: "/dev/gpiochip0", label: "pinctrl-bcm2711", isWritable: true }],
  keepsOutputs: true,
  libpigpio: null,
  isRoot: true,
};
const well: DoctorFacts = {
  isRoot: true,
  machine: pi4,
  configuration: {
    file: "/etc/berry/fand.toml",
    settings: composeFand({ pin: 18 }, "/etc/berry/fand.toml", startDiagnosis("fand.toml")),
    problems: [],
    warnings: [],
  },
  sensors: [
    { name: "cpu", source: "the CPU", path: "/sys/x", temperature: celsius(48), doubt: null, warnings: [] },
  ],
  boot: {
    configTxt: {
      path: "/boot/firmware/config.txt",
      lines: [{ text: "dtoverlay=pwm,pin=18,func=2", applies: true, filter: null }],
      isNewerThanBoot: false,
    },
    madeFrom: null,
    overlays: ["pwm", "pwm-2chan", "gpio-fan"],
    hasSymbols: true,
    hasCoolingFan: false,
    devices: [],
    isUBoot: false,
  },
  pins: [],
  hasJack: false,
  service: { kind: "unit", load: "loaded", file: "enabled", active: "active" },
  failsafe: { path: "/usr/lib/berry/fand-failsafe", isExecutable: true },
  others: [],
  nodeExporter: null,
  runFolder: "/run/berry",
  watchdog: { isThere: false, isUsed: null },
};

describe("cooling", () => {
  test("is no role of a machine that is no Pi, and nothing is missing there", () => {
    const machine = { ...pi4, model: null, board: null, pwm: [], gpio: [] };
    const report = judgeCool({ ...well, machine });
    expect(report).toEqual({ role: "cool", level: "not here", what: "not a Raspberry Pi", findings: [] });
    expect(judgeCool({ ...well, machine: { ...machine, model: "Pine64" } }).what).toBe(
      "not a Raspberry Pi: Pine64",
    );
  });
  test("is ready on a Pi that has everything, its service running", () => {
    const report = judgeCool(well);
    expect(report).toMatchObject({ level: "ready", what: "nothing is missing" });
    expect(report.findings.map(({ what }) => what)).toContain("berry-fand.service runs");
  });
  test("is missing on a Pi 4 without its overlay, with the line of config.txt that mends it", () => {
    const boot = {
      ...well.boot,
      configTxt: { path: "/boot/firmware/config.txt", lines: [], isNewerThanBoot: false },
    };
    const report = judgeCool({ ...well, machine: { ...pi4, pwm: [] }, boot });
    expect(report).toMatchObject({ level: "missing", what: "one thing is missing" });
    const [found] = report.findings.filter(({ level }) => level === "missing");
    expect(found?.remedy).toContain("dtoverlay=pwm,pin=18,func=2");
    expect(found?.remedy).toContain("/boot/firmware/config.txt");
  });
  test("is missing where its service is not enabled", () => {
    const service = { kind: "unit", load: "loaded", file: "disabled", active: "inactive" } as const;
    const report = judgeCool({ ...well, service });
    expect(report).toMatchObject({ level: "missing", what: "2 things are missing" });
    expect(report.findings.map(({ remedy }) => remedy)).toContain(
      "sudo systemctl enable --now berry-fand.service",
    );
  });
  test("is partly so where something could be better, as without systemctl", () => {
    expect(judgeCool({ ...well, service: { kind: "silent" } })).toMatchObject({
      level: "partly",
      what: "nothing is missing; one thing could be better",
    });
  });
});
