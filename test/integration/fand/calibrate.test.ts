import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";
import { startSpeaking } from "../../fixtures/speaking-process.ts";

const program = resolve(import.meta.dir, "../../fixtures/fand-calibrate.fixture.ts");
const pwmPath = "sys/class/hwmon/hwmon2/pwm1";
let board: FakeBoard;
let config = "";
beforeEach(async () => {
  board = await fakeBoard("pi-5");
  await addCoolingFan(board);
  config = join(board.folder, "fand.toml");
  await writeFile(config, "");
});
afterEach(() => rm(board.folder, { recursive: true }));

const pwm = () => readFileSync(join(board.folder, pwmPath), "utf8").split("\n")[0];

/** Resolves when the fan has a duty, whoever sets it. */
async function becomes(value: string): Promise<void> {
  // a watch of the folder may tell of the moment at which the file is empty, and keep the next one to itself
  // oxlint-disable-next-line no-await-in-loop
  while (pwm() !== value) await Bun.sleep(10);
}

function start() {
  return startSpeaking([process.execPath, program, board.folder, config]);
}

describe("a calibration that is a process", () => {
  test("notes the output before it takes it, and leaves its fan at full speed", async () => {
    await board.put({ "sys/class/hwmon/hwmon2/fan1_input": "0\n" });
    const { child, says } = start();
    await says("at 100 %");
    expect(existsSync(join(board.folder, "run/berry/outputs"))).toBe(true);
    await says("still");
    expect(await child.exited).toBe(0);
    expect(pwm()).toBe("255");
  });
  test.each(["SIGINT", "SIGTERM", "SIGTSTP"] as const)("leaves its fan at full speed on %s", async (name) => {
    const { child, says } = start();
    await says("at 40 %");
    expect(pwm()).toBe("102");
    child.kill(name);
    await says(`failed: interrupted by ${name}`);
    expect(await child.exited).toBe(1);
    expect(pwm()).toBe("255");
  });
  test("has its fan raised by its guard after SIGKILL", async () => {
    const { child, says } = start();
    await says("at 40 %");
    expect(pwm()).toBe("102");
    child.kill("SIGKILL");
    await child.exited;
    await becomes("255");
    expect(pwm()).toBe("255");
  });
  test("has its fan raised by its guard when it is stopped, and gives up when it goes on", async () => {
    const { child, says } = start();
    await says("at 40 %");
    child.kill("SIGSTOP");
    expect(pwm()).toBe("102");
    await becomes("255");
    child.kill("SIGCONT");
    await says("failed:");
    expect(await child.exited).toBe(1);
    expect(pwm()).toBe("255");
  });
  test("gives up, at full speed, when somebody kills its guard", async () => {
    const { child, says } = start();
    await says("at 40 %");
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    const guards = children.filter((id) =>
      readFileSync(`/proc/${id}/cmdline`, "utf8").startsWith("/bin/sh\0"),
    );
    expect(guards).toHaveLength(1);
    process.kill(Number(guards[0]), "SIGKILL");
    await says("failed: nobody watches over the fan any more");
    expect(await child.exited).toBe(1);
    expect(pwm()).toBe("255");
  });
  test("does not begin while another process drives the fans", async () => {
    const first = start();
    await first.says("at 100 %");
    const second = start();
    await second.says(`failed: process ${first.child.pid} drives the fans of this machine already`);
    expect(await second.child.exited).toBe(1);
    first.child.kill("SIGTERM");
    await first.child.exited;
  });
});
