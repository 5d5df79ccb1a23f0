import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { addCoolingFan, type FakeBoard, fakeBoard } from "../../fixtures/fand-boards.ts";
import { startSpeaking } from "../../fixtures/speaking-process.ts";

const program = resolve(import.meta.dir, "../../fixtures/fand-daemon.fixture.ts");
const main = resolve(import.meta.dir, "../../../src/main.ts");
const zone = "sys/devices/virtual/thermal/thermal_zone0/temp";
let board: FakeBoard;
let started: Bun.Subprocess[] = [];
beforeEach(async () => {
  board = await fakeBoard("pi-5");
  await addCoolingFan(board);
  await writeFile(join(board.folder, "fand.toml"), 'interval = "200ms"\n');
});
afterEach(async () => {
  for (const child of started) child.kill("SIGKILL");
  await Promise.all(started.map(({ exited }) => exited));
  started = [];
  await rm(board.folder, { recursive: true });
});

const pwm = () => readFileSync(join(board.folder, "sys/class/hwmon/hwmon2/pwm1"), "utf8").split("\n")[0];
const runFolder = () => join(board.folder, "run/berry");

/** A daemon, and its lines as they come. */
async function daemon() {
  const { child, says } = startSpeaking([
    process.execPath,
    program,
    board.folder,
    join(board.folder, "fand.toml"),
  ]);
  started.push(child);
  await says("100 % → 30 %");
  // what is seen from outside is written at the end of the round
  // oxlint-disable-next-line no-await-in-loop
  while ((await run("status")).exitCode !== 0) expect(child.exitCode).toBeNull();
  return { child, says };
}

function berry(...words: readonly string[]) {
  return Bun.spawn([process.execPath, main, "fand", ...words], {
    env: { PATH: process.env["PATH"] ?? "", RUNTIME_DIRECTORY: runFolder() },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(...words: readonly string[]) {
  const child = berry(...words);
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

describe("berry fand set", () => {
  test("sets a fan for a while, and gives it back to its rule", async () => {
    const { says } = await daemon();
    expect(await run("set", "60%", "--for", "10m")).toEqual({
      exitCode: 0,
      stdout: "fan: 60 % for 10 min 00 s\n",
      stderr: "",
    });
    expect(pwm()).toBe("153");
    const { stdout } = await run("status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      fans: [{ duty_percent: 60, wanted_percent: 30, override: { duty_percent: 60 } }],
    });
    expect((await run("set", "1%")).stdout).toBe(
      "fan: 30 %, the slowest that it turns at, for 10 min 00 s\n",
    );
    expect((await run("set", "0%", "--for", "1s")).stdout).toBe("fan: 0 % for 1.0 s\n");
    await says("0 % → 100 %");
    // what stood still is kicked
    expect(pwm()).toBe("255");
    await says("100 % → 30 %");
    expect((await run("set", "80%")).exitCode).toBe(0);
    expect((await run("set", "auto")).stdout).toBe("fan: its rule decides again: 30 %\n");
    expect(pwm()).toBe("77");
  });
  test("takes nothing back that another has set at the same time", async () => {
    await daemon();
    const duties = ["60%", "70%", "80%"];
    const ran = await Promise.all(duties.map((duty) => run("set", duty)));
    expect(ran.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      duties.map(() => ({ exitCode: 0, stderr: "" })),
    );
    // the last of them holds
    expect(["153", "179", "204"]).toContain(pwm() ?? "");
    expect(readdirSync(runFolder())).toContain("override");
  }, 20_000);
  test("refuses what is less than the rule asks for where it is warm, and nobody gets round that", async () => {
    const { says } = await daemon();
    await board.put({ [zone]: "71000\n" });
    await says("at 71.0 °C");
    const { exitCode, stderr } = await run("set", "40%");
    expect(exitCode).toBe(75);
    expect(stderr).toStartWith("error: fan fan: 71.0 °C is above 70 °C: it may not get less than the 100 %");
    expect(readdirSync(runFolder())).not.toContain("override");
    await board.put({ [zone]: "48000\n" });
    // as who writes the file by himself would
    const untilSeconds = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) + 600;
    await writeFile(join(runFolder(), "override"), JSON.stringify([{ fan: "fan", duty: 0, untilSeconds }]), {
      mode: 0o600,
    });
    await says("→ 0 %");
    await board.put({ [zone]: "71000\n" });
    await says("0 % → 100 %");
    expect(pwm()).toBe("255");
  });
  test("fails where the daemon is dead, whatever that said before", async () => {
    const { child } = await daemon();
    child.kill("SIGKILL");
    await child.exited;
    const { exitCode, stderr } = await run("set", "60%");
    expect(exitCode).toBe(69);
    expect(stderr).toStartWith("error: no daemon is running");
  });
  test("leaves nothing behind where the daemon does not take it up", async () => {
    const { child } = await daemon();
    child.kill("SIGSTOP");
    const { exitCode, stderr } = await run("set", "60%");
    expect(exitCode).toBe(75);
    expect(stderr).toStartWith("error: the daemon has not taken it up: nothing is set\n");
    expect(readdirSync(runFolder()).filter((name) => name.startsWith("override"))).toEqual([]);
  }, 15_000);
});

describe("a second daemon", () => {
  test("ends at once, and touches nothing of the first", async () => {
    const { child } = await daemon();
    const seen = () => readdirSync(runFolder()).filter((name) => name !== "berry.prom.next");
    const [names, note] = [seen(), readFileSync(join(runFolder(), "outputs"), "utf8")];
    const { exitCode, stderr } = await run("run");
    expect(exitCode).toBe(75);
    expect(stderr).toBe(`error: process ${child.pid} drives the fans of this machine already
hint: systemctl stop berry-fand, or end what was started by hand
`);
    expect(seen()).toEqual(names);
    expect(readFileSync(join(runFolder(), "outputs"), "utf8")).toBe(note);
    expect(pwm()).toBe("77");
  });
});

describe("berry fand status --watch", () => {
  test("tells again and again, and ends well on Ctrl-C", async () => {
    await daemon();
    const child = berry("status", "--watch", "--json");
    started.push(child);
    const reader = child.stdout.getReader();
    let text = "";
    while (text.split("\n").length < 3) {
      // oxlint-disable-next-line no-await-in-loop
      text += new TextDecoder().decode((await reader.read()).value);
    }
    expect(
      text
        .split("\n")
        .slice(0, 2)
        .map((line) => JSON.parse(line).state),
    ).toEqual(["healthy", "healthy"]);
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
  });
});
