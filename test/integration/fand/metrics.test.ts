import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";

const program = resolve(import.meta.dir, "../../fixtures/fand-daemon.fixture.ts");
let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

/** What a daemon writes of itself, when it has said the words. */
async function metricsOf({ folder }: FakeBoard, toml: string, words: string): Promise<string> {
  const config = join(folder, "fand.toml");
  await writeFile(config, toml);
  const child = Bun.spawn([process.execPath, program, folder, config], { stdout: "pipe", stderr: "inherit" });
  let said = "";
  for await (const chunk of child.stdout) {
    said += new TextDecoder().decode(chunk);
    if (said.includes(words)) break;
  }
  // the round in which it said so ends before it hears of this
  child.kill("SIGTERM");
  await child.exited;
  return readFileSync(join(folder, "run/berry/berry.prom"), "utf8");
}

/** What promtool says against it. */
async function complaintsOf(text: string): Promise<string> {
  const promtool = Bun.spawn(["promtool", "check", "metrics"], {
    stdin: new TextEncoder().encode(text),
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = `${await new Response(promtool.stdout).text()}${await new Response(promtool.stderr).text()}`;
  return (await promtool.exited) === 0 ? said : `${said}exit code ${promtool.exitCode}`;
}

/** Names of the metrics. */
const names = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+)/gm)]
    .map(([, name = ""]) => name)
    .sort((one, other) => one.localeCompare(other));

test("promtool accepts what is written with fans, by hand and by their rule, throttled", async () => {
  board = await fakeBoard("pi-5");
  await addCoolingFan(board);
  await board.put({ "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n" });
  await mkdir(join(board.folder, "run/berry"), { recursive: true });
  const untilSeconds = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) + 600;
  await writeFile(
    join(board.folder, "run/berry/override"),
    JSON.stringify([{ fan: "fan", duty: 60, untilSeconds }]),
    { mode: 0o600 },
  );
  const text = await metricsOf(board, "", "100 % → 60 %");
  expect(names(text)).toEqual([
    "berry_build_info",
    "berry_cpu_temperature_celsius",
    "berry_fan_changes_total",
    "berry_fan_duty_ratio",
    "berry_fan_errors_total",
    "berry_fan_interval_seconds",
    "berry_fan_last_update_timestamp_seconds",
    "berry_fan_lost",
    "berry_fan_minimum_duty_ratio",
    "berry_fan_override_duty_ratio",
    "berry_fan_override_end_timestamp_seconds",
    "berry_fan_override_limit_celsius",
    "berry_fan_rule_duty_ratio",
    "berry_fan_speed_rpm",
    "berry_fan_stalled",
    "berry_fan_temperature_celsius",
    "berry_sensor_in_doubt",
    "berry_throttled",
    "berry_throttled_since_boot",
  ]);
  expect(await complaintsOf(text)).toBe("");
  // what it would say otherwise
  expect(await complaintsOf(text.replaceAll("changes_total", "changes"))).toContain("_total");
});

test("promtool accepts what is written without a fan, on a kernel that knows of the voltage alone", async () => {
  board = await fakeBoard("pi-4");
  await board.put({
    "sys/class/hwmon/hwmon3/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon3/in0_lcrit_alarm": "1\n",
  });
  const text = await metricsOf(board, 'backend = "none"\n', "no fan");
  expect(text).toContain('berry_cpu_temperature_celsius{sensor="cpu"} 48.312\n');
  expect(text).toContain('berry_throttled{reason="under-voltage"} 1\n');
  expect(text).not.toContain("since_boot");
  expect(await complaintsOf(text)).toBe("");
});

test("promtool accepts what is written of a sensor in doubt", async () => {
  board = await fakeBoard("pi-5");
  await addCoolingFan(board);
  await board.put({ "sys/devices/virtual/thermal/thermal_zone0/temp": "hot\n" });
  const text = await metricsOf(board, "", "garbage");
  expect(text).toContain('berry_sensor_in_doubt{sensor="cpu"} 1\n');
  expect(text).not.toContain("_celsius{");
  expect(await complaintsOf(text)).toBe("");
});
