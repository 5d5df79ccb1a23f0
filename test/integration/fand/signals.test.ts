import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";
import { startSpeaking } from "../../fixtures/speaking-process.ts";

const program = resolve(import.meta.dir, "../../fixtures/fand-daemon.fixture.ts");
let board: FakeBoard;
let config = "";
beforeEach(async () => {
  board = await fakeBoard("pi-5");
  await addCoolingFan(board);
  config = join(board.folder, "fand.toml");
  await writeFile(config, 'interval = "200ms"\n');
});
afterEach(() => rm(board.folder, { recursive: true }));

const pwm = () => readFileSync(join(board.folder, "sys/class/hwmon/hwmon2/pwm1"), "utf8").split("\n")[0];

/** A daemon, and its lines as they come. */
function start() {
  return startSpeaking([process.execPath, program, board.folder, config]);
}

describe("a daemon that is a process", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "leaves its fan at full speed on %s, and ends well",
    async (name) => {
      const { child, says } = start();
      await says("100 % → 30 %");
      expect(pwm()).toBe("77");
      child.kill(name);
      expect(await child.exited).toBe(0);
      expect(pwm()).toBe("255");
    },
  );
  test("reloads on SIGHUP, and keeps what it has where the file is wrong", async () => {
    const { child, says } = start();
    await says("100 % → 30 %");
    await writeFile(config, 'interval = "200ms"\ncurve = [[20, 60], [60, 100]]\ninterpolation = "steps"\n');
    child.kill("SIGHUP");
    await says("30 % → 60 %");
    await writeFile(config, "pin = 99\n");
    child.kill("SIGHUP");
    await says("the configuration stays as it was");
    expect(pwm()).toBe("153");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(pwm()).toBe("255");
  });
  test("is at full speed while its sensor is away, and back when that returns", async () => {
    const { child, says } = start();
    await says("100 % → 30 %");
    await rm(join(board.folder, "sys/class/thermal/thermal_zone0"));
    // the file that it holds is open still: a sensor of the kernel's is gone then
    await board.put({ "sys/devices/virtual/thermal/thermal_zone0/temp": "" });
    await says("garbage");
    await says("30 % → 100 %");
    expect(pwm()).toBe("255");
    await board.put({ "sys/devices/virtual/thermal/thermal_zone0/temp": "48000\n" });
    await says("is back: 48.0 °C");
    child.kill("SIGTERM");
    await child.exited;
  });
  test("is mended by the script after SIGKILL", async () => {
    const { child, says } = start();
    await says("100 % → 30 %");
    child.kill("SIGKILL");
    await child.exited;
    expect(pwm()).toBe("77");
    const script = resolve(import.meta.dir, "../../../systemd/berry-fand-failsafe.sh");
    const { exitCode } = Bun.spawnSync(["/bin/sh", script], { env: { BERRY_ROOT: board.folder } });
    expect(exitCode).toBe(0);
    expect(pwm()).toBe("255");
  });
});
