import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { drive, type Place } from "../../../src/commands/fand/drive.ts";
import { startDiagnosis } from "../../../src/config/problem.ts";
import { composeFand } from "../../../src/fand/config/compose-fand.ts";
import { writeOverrides } from "../../../src/fand/daemon/override-file.ts";
import { percent } from "../../../src/fand/units.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import {
  addCoolingFan,
  addPwm,
  exportedChannel,
  type FakeBoard,
  fakeBoard,
  header,
} from "../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

/** A daemon on a board, whose rounds the test calls for one by one. */
function start(one: FakeBoard, first: string) {
  const ended = new AbortController();
  const [lines, sent]: [string[], string[]] = [[], []];
  let toml = first;
  let now = 0;
  let waiting: { wake: () => void } | null = null;
  let reload: () => void = () => undefined;
  let stop: () => void = () => undefined;
  let asleep = Promise.withResolvers<void>();
  const place: Place = {
    roots: one.roots,
    isRoot: true,
    uid: process.getuid?.() ?? 0,
    runFolder: join(one.folder, "run/berry"),
    version: "0.1.0",
    notifier: { send: (...assignments) => void sent.push(...assignments) },
    wallSeconds: () => 1_700_000_000 + now,
    bootSeconds: () => 1000 + now,
    clock: {
      now: () => now,
      async sleep(_seconds, signal) {
        if (signal.aborted) return;
        const woken = Promise.withResolvers<void>();
        waiting = { wake: woken.resolve };
        signal.addEventListener("abort", () => woken.resolve(), { once: true });
        asleep.resolve();
        await woken.promise;
      },
    },
    async load() {
      const diagnosis = startDiagnosis("fand.toml");
      const settings = composeFand(Bun.TOML.parse(toml) as Record<string, unknown>, null, diagnosis);
      if (diagnosis.problems.length > 0) throw new Error("fand.toml: wrong");
      return settings;
    },
    keepClaim: () => undefined,
    onStop: (listener) => void (stop = listener),
    onReload: (listener) => void (reload = listener),
  };
  const log = {
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void lines.push(`! ${line}`),
  };
  const done = drive(place, log, ended.signal);
  const settle = async () => {
    await Promise.race([asleep.promise, done]);
    asleep = Promise.withResolvers();
  };
  return {
    lines,
    sent,
    done,
    settle,
    /** What a signal does first. */
    hearStop: () => stop(),
    stop: () => ended.abort(),
    async round() {
      now += 1;
      waiting?.wake();
      await settle();
    },
    async reload(next: string) {
      toml = next;
      reload();
      await settle();
    },
    reloadInVain(next: string) {
      toml = next;
      reload();
    },
  };
}
const metrics = (one: FakeBoard) => readFileSync(join(one.folder, "run/berry/berry.prom"), "utf8");
const value = (one: FakeBoard, path: string) => readFileSync(join(one.folder, path), "utf8").split("\n")[0];

describe("the daemon", () => {
  test("does not begin with two fans of one output, and keeps what it has where a new file has them", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const twice = '[[fan]]\nname = "hot"\n[[fan]]\nname = "cold"\n';
    const failure = await failureOf(start(board, twice).done);
    expect(String(failure)).toMatch(/fan cold: nothing drives it: hwmon: .*\/pwm1\) is that of fan hot/);
    const daemon = start(board, '[[fan]]\nname = "hot"\n');
    await daemon.settle();
    daemon.reloadInVain(twice);
    await daemon.round();
    await daemon.round();
    expect(daemon.lines.join("\n")).toContain("! the configuration stays as it was: fan");
    expect(metrics(board)).not.toContain("cold");
    daemon.stop();
    await daemon.done;
  });
  test("notes what it takes, drives it, and leaves it at full speed the moment it is told to end", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const daemon = start(board, "");
    await daemon.settle();
    expect(readFileSync(join(board.folder, "run/berry/outputs"), "utf8").replaceAll(board.folder, "")).toBe(
      "# what full speed is for the fans that berry has taken\ntry 1 /sys/class/hwmon/hwmon2/pwm1_enable\nwrite 255 /sys/class/hwmon/hwmon2/pwm1\n# end\n",
    );
    // 48 °C asks for less than the fan can turn at
    expect(value(board, pwm)).toBe("77");
    expect(daemon.sent).toEqual([
      "READY=1",
      "WATCHDOG_USEC=10000000",
      "WATCHDOG=1",
      "STATUS=cpu 48.3 °C, fan 30 %",
    ]);
    await board.put({
      "sys/class/thermal/thermal_zone0/temp": "67000\n",
    });
    await daemon.round();
    expect(value(board, pwm)).toBe("204");
    expect(readFileSync(join(board.folder, "run/berry/berry.prom"), "utf8")).toContain(
      'berry_fan_duty_ratio{fan="fan"} 0.8\n',
    );
    expect(readFileSync(join(board.folder, "run/berry/berry.prom"), "utf8")).toContain(
      'berry_fan_speed_rpm{fan="fan"} 2300\n',
    );
    daemon.stop();
    // at once: nothing was awaited
    expect(value(board, pwm)).toBe("255");
    await daemon.done;
    expect(daemon.sent).toContain("STOPPING=1");
    expect(daemon.lines.map((line) => line.replaceAll(board?.folder ?? "", ""))).toEqual([
      "fan fan: hwmon, hwmon chip pwmfan (/sys/class/hwmon/hwmon2/pwm1)",
      "fan: 100 % → 30 % at 48.3 °C",
      "fan: 30 % → 80 % at 67.0 °C",
    ]);
  });
  test("leaves its fan at full speed before anything else is told that it ends", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const daemon = start(board, "");
    await daemon.settle();
    expect(value(board, pwm)).toBe("77");
    daemon.hearStop();
    expect(value(board, pwm)).toBe("255");
    daemon.stop();
    await daemon.done;
    expect(value(board, pwm)).toBe("255");
  });
  test("keeps its old configuration where the new one is wrong, and says so", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const daemon = start(board, "");
    await daemon.settle();
    daemon.reloadInVain("pin = 99");
    await daemon.round();
    await daemon.round();
    expect(daemon.lines.join("\n")).toContain("! the configuration stays as it was: fan");
    expect(daemon.sent.filter((line) => line === "READY=1")).toHaveLength(2);
    expect(value(board, "sys/class/hwmon/hwmon2/pwm1")).toBe("77");
    daemon.stop();
    await daemon.done;
  });
  test("reloads: what is driven goes on, what is not any more is left at full speed", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    await addPwm(board, { ...header["pi-5"], pins: [18] });
    await board.put(exportedChannel("sys/class/pwm/pwmchip2/pwm2"));
    const daemon = start(board, "");
    await daemon.settle();
    await daemon.reload('curve = [[20, 60], [60, 100]]\ninterpolation = "steps"');
    expect(value(board, "sys/class/hwmon/hwmon2/pwm1")).toBe("153");
    expect(daemon.lines.filter((line) => line.includes("100 %"))).toEqual(["fan: 100 % → 30 % at 48.3 °C"]);
    await daemon.reload("pin = 18");
    expect(value(board, "sys/class/hwmon/hwmon2/pwm1")).toBe("255");
    expect(value(board, "sys/class/pwm/pwmchip2/pwm2/duty_cycle")).toBe("12000");
    expect(value(board, "run/berry/outputs")).toStartWith("#");
    expect(readFileSync(join(board.folder, "run/berry/outputs"), "utf8")).not.toContain("hwmon");
    daemon.stop();
    await daemon.done;
    expect(value(board, "sys/class/pwm/pwmchip2/pwm2/duty_cycle")).toBe("40000");
  });
  test("kicks a fan that does not turn, raises an alarm, and goes back when it does", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    await board.put({ "sys/class/hwmon/hwmon2/fan1_input": "0\n" });
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const daemon = start(board, "");
    await daemon.settle();
    expect(value(board, pwm)).toBe("77");
    for (let second = 0; second < 7; second += 1) await daemon.round();
    expect(value(board, pwm)).toBe("255");
    for (let second = 0; second < 15; second += 1) await daemon.round();
    expect(daemon.lines.at(-1)).toBe(
      "! fan fan does not turn at 100 %: look after it; full speed until it does",
    );
    expect(readFileSync(join(board.folder, "run/berry/berry.prom"), "utf8")).toContain(
      'berry_fan_stalled{fan="fan"} 1\n',
    );
    await board.put({ "sys/class/hwmon/hwmon2/fan1_input": "5000\n" });
    for (let second = 0; second < 7; second += 1) await daemon.round();
    expect(daemon.lines).toContain("fan fan turns again");
    expect(value(board, pwm)).toBe("77");
    daemon.stop();
    await daemon.done;
  });
  test("holds what is set by hand until it ends, and then does what it would have done without", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const daemon = start(board, "");
    await daemon.settle();
    const set = (duty: number, untilSeconds: number) =>
      writeOverrides(join(board?.folder ?? "", "run/berry/override"), [
        { fan: "fan", duty: percent(duty), untilSeconds },
      ]);
    set(60, 1004);
    await daemon.round();
    expect(value(board, pwm)).toBe("153");
    expect(metrics(board)).toContain('berry_fan_rule_duty_ratio{fan="fan"} 0.3\n');
    expect(metrics(board)).toContain('berry_fan_override_duty_ratio{fan="fan"} 0.6\n');
    expect(metrics(board)).toContain('berry_fan_override_end_timestamp_seconds{fan="fan"} 1700000004\n');
    await daemon.round();
    await daemon.round();
    expect(value(board, pwm)).toBe("153");
    await daemon.round();
    expect(value(board, pwm)).toBe("77");
    expect(metrics(board)).not.toContain("berry_fan_override_duty_ratio");
    await daemon.round();
    expect(daemon.lines.slice(2)).toEqual([
      "fan fan is set to 60 % by hand for 3.0 s",
      "fan: 30 % → 60 % at 48.3 °C",
      "fan fan is not set by hand any more",
      "fan: 60 % → 30 % at 48.3 °C",
    ]);
    daemon.stop();
    await daemon.done;
  });
  test("is not slowed down by hand where it is too warm, or in doubt, or the word is not its own", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const zone = "sys/devices/virtual/thermal/thermal_zone0/temp";
    const file = join(board.folder, "run/berry/override");
    const daemon = start(board, "");
    await daemon.settle();
    writeOverrides(file, [{ fan: "fan", duty: percent(0), untilSeconds: 2000 }]);
    await daemon.round();
    expect(value(board, pwm)).toBe("0");
    await board.put({ [zone]: "71000\n" });
    await daemon.round();
    expect(value(board, pwm)).toBe("255");
    await board.put({ [zone]: "48000\n" });
    await daemon.round();
    expect(value(board, pwm)).toBe("0");
    await board.put({ [zone]: "hot\n" });
    await daemon.round();
    expect(value(board, pwm)).toBe("255");
    await board.put({ [zone]: "48000\n" });
    await daemon.round();
    expect(value(board, pwm)).toBe("0");
    await chmod(file, 0o622);
    await daemon.round();
    await daemon.round();
    expect(value(board, pwm)).not.toBe("0");
    expect(daemon.lines.filter((line) => line.startsWith("!") && line.includes("override"))).toEqual([
      `! ${file}: not believed: others may write to it: nothing is set by hand`,
    ]);
    daemon.stop();
    await daemon.done;
  });
  test("writes metrics every five seconds where nothing happens, with the time of the round", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    const daemon = start(board, "");
    await daemon.settle();
    const updated = () => /last_update_timestamp_seconds (\d+)\n/.exec(metrics(board as FakeBoard))?.[1];
    for (let second = 0; second < 12; second += 1) await daemon.round();
    expect(updated()).toBe("1700000010");
    expect(daemon.lines).toHaveLength(2);
    daemon.stop();
    await daemon.done;
  });
  test("does not begin where nothing drives its fan", async () => {
    board = await fakeBoard("pi-4");
    const daemon = start(board, "pin = 18");
    const thrown = await daemon.done.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(String(thrown)).toContain("fan fan: nothing drives it: hwmon: no hwmon chip has a PWM output");
    expect(existsSync(join(board.folder, "run/berry/outputs"))).toBe(false);
  });
  test("heeds the Pi's own sensor from critical on where its fan follows another, and reports both", async () => {
    board = await fakeBoard("pi-5");
    await addCoolingFan(board);
    await board.put({ disk: "40000\n" });
    const disk = `sensors = "disk"\n[[sensor]]\nname = "disk"\nfile = "${join(board.folder, "disk")}"\n`;
    const pwm = "sys/class/hwmon/hwmon2/pwm1";
    const daemon = start(board, `minimum_on = 0\n${disk}`);
    await daemon.settle();
    expect(value(board, pwm)).toBe("0");
    expect(metrics(board)).toContain('berry_cpu_temperature_celsius{sensor="cpu"} 48.312\n');
    await board.put({ "sys/devices/virtual/thermal/thermal_zone0/temp": "80000\n" });
    await daemon.round();
    expect(value(board, pwm)).toBe("255");
    await board.put({ "sys/devices/virtual/thermal/thermal_zone0/temp": "none\n" });
    await daemon.round();
    expect(daemon.lines.at(-1)).toContain("sensor cpu is garbage");
    expect(value(board, pwm)).toBe("255");
    daemon.stop();
    await daemon.done;
  });
  test("without a fan reports temperatures and throttling", async () => {
    board = await fakeBoard("pi-4");
    await board.put({ "sys/devices/platform/soc/soc:firmware/get_throttled": "20002\n" });
    const daemon = start(board, 'backend = "none"');
    await daemon.settle();
    expect(readFileSync(join(board.folder, "run/berry/berry.prom"), "utf8")).toContain(
      'berry_cpu_temperature_celsius{sensor="cpu"} 48.312\n',
    );
    expect(readFileSync(join(board.folder, "run/berry/berry.prom"), "utf8")).toContain(
      'berry_throttled{reason="frequency-capped"} 1\n',
    );
    daemon.stop();
    await daemon.done;
  });
});
