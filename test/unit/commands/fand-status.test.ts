import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berry } from "../../../src/main.ts";
import { run as runBerry } from "../cli/fakes.ts";

let folder = "";
const before = process.env["RUNTIME_DIRECTORY"];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-status-"));
  process.env["RUNTIME_DIRECTORY"] = folder;
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  if (before === undefined) delete process.env["RUNTIME_DIRECTORY"];
  else process.env["RUNTIME_DIRECTORY"] = before;
});

const run = (...words: readonly string[]) => runBerry(["fand", ...words], berry);

const seconds = () => Math.floor(Date.now() / 1000);
const metrics = (updated: number, more = "") =>
  writeFile(
    join(folder, "berry.prom"),
    `berry_cpu_temperature_celsius{sensor="cpu"} 48.312
berry_sensor_in_doubt{sensor="cpu"} 0
berry_fan_duty_ratio{fan="case"} 0.6
berry_fan_rule_duty_ratio{fan="case"} 0.3
berry_fan_changes_total{fan="case"} 12
berry_fan_errors_total{fan="case"} 0
berry_fan_last_update_timestamp_seconds ${updated}
berry_fan_interval_seconds 1
berry_throttled{reason="under-voltage"} 0
${more}berry_build_info{version="0.1.0"} 1
`,
  );

describe("berry fand status", () => {
  test("is a table for people", async () => {
    await metrics(
      seconds() + 1,
      `berry_fan_override_duty_ratio{fan="case"} 0.6
berry_fan_override_end_timestamp_seconds{fan="case"} ${seconds() + 40_000}
`,
    );
    const { exitCode, stdout, stderr } = await run("status");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(`SENSOR  TEMPERATURE
cpu         48.3 °C

FAN   DUTY  WANTED  RPM  CHANGES  ERRORS  BY HAND               STATE
case  60 %    30 %    -       12       0  60 % for 11 h 07 min  ok

throttled now: no; since boot: not known
0 s ago: a whole round by berry 0.1.0
`);
  });
  test("says in JSON what it says in words", async () => {
    await metrics(seconds());
    const { exitCode, stdout } = await run("status", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: "healthy",
      ailments: [],
      version: "0.1.0",
      interval_seconds: 1,
      override_limit_celsius: null,
      sensors: [{ name: "cpu", temperature_celsius: 48.312, in_doubt: false }],
      fans: [
        {
          name: "case",
          temperature_celsius: null,
          duty_percent: 60,
          wanted_percent: 30,
          minimum_percent: 0,
          speed_rpm: null,
          stalled: false,
          lost: false,
          changes: 12,
          errors: 0,
          override: null,
        },
      ],
      throttled_now: [],
      throttled_since_boot: null,
    });
  });
  test("says that there is no daemon", async () => {
    expect(await run("status")).toEqual({
      exitCode: 69,
      stdout: "",
      stderr: `error: no daemon: there is no ${folder}/berry.prom
hint: systemctl start berry-fand; berry fand check says what it would drive
`,
    });
    expect((await run("status", "--json")).stdout).toStartWith('{"state":"absent"}\n');
  });
  test("shows what a dead daemon said last, and fails", async () => {
    await metrics(seconds() - 100);
    const { exitCode, stdout, stderr } = await run("status");
    expect(exitCode).toBe(69);
    expect(stdout).toContain("48.3 °C");
    expect(stderr).toMatch(
      /^error: the daemon is not at work: its last whole round was 10[0-9] s ago\nhint: /,
    );
  });
  test("fails where someone should look after a fan", async () => {
    await metrics(seconds(), 'berry_fan_stalled{fan="case"} 1\n');
    const { exitCode, stdout, stderr } = await run("status");
    expect(exitCode).toBe(74);
    expect(stdout).toContain("does not turn");
    expect(stderr).toStartWith("error: fan case does not turn\n");
  });
  test("does not take another file for that of the daemon", async () => {
    await writeFile(join(folder, "berry.prom"), "node_load1 0.5\n");
    expect((await run("status")).exitCode).toBe(65);
  });
});

describe("berry fand set", () => {
  test.each([
    [["set", "120%"], "error: 120%: no duty\n"],
    [["set", "60%", "--for", "2d"], "error: --for 2d: no such time\n"],
    [["set", "auto", "--for", "10m"], "error: auto is for good, not --for a while\n"],
  ])("refuses %j", async (words, message) => {
    const { exitCode, stderr } = await run(...words);
    expect(exitCode).toBe(64);
    expect(stderr).toStartWith(message);
  });
  test("needs a daemon that is running", async () => {
    await metrics(seconds());
    const { exitCode, stderr } = await run("set", "60%");
    expect(exitCode).toBe(69);
    expect(stderr).toBe(
      "error: no daemon is running: there is nothing to set\nhint: systemctl start berry-fand\n",
    );
  });
});
