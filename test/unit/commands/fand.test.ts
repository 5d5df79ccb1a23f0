import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berry } from "../../../src/main.ts";
import { run as runBerry } from "../cli/fakes.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-fand-"));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...words: readonly string[]) => runBerry(["fand", ...words], berry);
async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const rpifand = `[MAIN]
gpio_pin = 18
mode = "ONOFF"
thermal_interval_seconds = 10
tail_range = 18
[ONOFF]
temp_threshold_celsius = 55
`;

describe("berry fand check", () => {
  test("names every problem of a file", async () => {
    const file = await write("bad.toml", "pin = 99\ncurv = 1\n");
    const { exitCode, stderr } = await run("check", file);
    expect(exitCode).toBe(78);
    expect(stderr).toContain(`${file}: pin: too big, got 99; use 27 or less`);
    expect(stderr).toContain(`${file}: curv: unknown key; did you mean curve?`);
  });
  test("judges the file alone where that is asked for", async () => {
    const file = await write("good.toml", 'pin = 18\nmode = "pwm"\n');
    expect(await run("check", "--file-only", file)).toEqual({
      exitCode: 0,
      stdout: `${file}: valid\n`,
      stderr: "",
    });
    expect(JSON.parse((await run("check", "--file-only", "--json", file)).stdout)).toEqual({
      file,
      dialect: "berry",
      interval_seconds: 1,
    });
  });
  test("never runs a file", async () => {
    const file = await write("fand.ts", "throw new Error('ran')");
    expect(await run("check", file)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining(`${file}: line 1, column 7: `),
    });
  });
  test("takes a file whatever it is called", async () => {
    const file = await write("fand.conf", "pin = 18\n");
    expect((await run("check", "--file-only", file)).stdout).toBe(`${file}: valid\n`);
  });
});

describe("berry fand migrate", () => {
  test("prints a file that check finds valid", async () => {
    const { exitCode, stdout } = await run("migrate", await write("rpifand.toml", rpifand));
    expect(exitCode).toBe(0);
    expect(stdout).toContain('pin = 18\nmode = "on-off"\non = 55\n');
    expect((await run("check", "--file-only", await write("new.toml", stdout))).exitCode).toBe(0);
  });
  test("refuses what is not of rpifand", async () => {
    const { exitCode, stderr } = await run("migrate", await write("other.toml", "pin = 18"));
    expect(exitCode).toBe(65);
    expect(stderr).toContain("not a file of rpifand: it has no [MAIN]");
  });
});

describe("berry fand simulate", () => {
  const config = () => write("sim.toml", "pin = 18\n");
  test("replays a file, and draws it", async () => {
    const trace = await write("t.csv", "seconds,celsius\n0,40\n100,75\n300,40\n4000,40\n");
    const svg = join(folder, "t.svg");
    const { exitCode, stdout } = await run(
      "simulate",
      "--config",
      await config(),
      "--trace",
      trace,
      "--svg",
      svg,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain("RULE");
    expect(stdout).toContain("rpifand, mended");
    expect(await readFile(svg, "utf8")).toStartWith("<svg ");
  });
  test("tells each trace as one line of JSON", async () => {
    const { stdout } = await run("simulate", "--config", await config(), "--json");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { trace: string; saved_percent: number });
    expect(lines.map(({ trace }) => trace)).toEqual([
      "idle",
      "cron",
      "bursts",
      "builds",
      "cluster",
      "web",
      "stress",
    ]);
    expect(lines.filter(({ saved_percent: saved }) => saved >= 80)).toHaveLength(6);
  });
  test("refuses what it cannot do", async () => {
    const file = await config();
    expect((await run("simulate", "--config", file, "--model", "--trace", "web")).exitCode).toBe(64);
    expect((await run("simulate", "--config", file, "--svg", "x.svg")).stderr).toContain(
      "--svg draws one trace",
    );
    expect((await run("simulate", "--config", file, "--trace", "none.csv")).stderr).toContain(
      "none.csv: no such file",
    );
    expect((await run("simulate", "--config", file, "--fan", "x")).stderr).toContain("no fan x");
  });
  test("draws into a folder that is there, a plain file that is not what it reads, and all of it", async () => {
    const [file, there] = [await config(), join(folder, "there")];
    const trace = await write("trace.csv", "seconds,celsius\n0,40\n60,60\n");
    await symlink(trace, join(folder, "link.svg"));
    await mkdir(there);
    const drawn = async (svg: string) => {
      const { exitCode, stderr } = await run("simulate", "--config", file, "--trace", trace, "--svg", svg);
      return [exitCode, stderr.split("\n")[0]?.replaceAll(folder, "")];
    };
    expect(await drawn(join(folder, "none/x.svg"))).toEqual([
      73,
      "error: /none/x.svg: there is no folder /none",
    ]);
    expect(await drawn(there)).toEqual([73, "error: /there: is no plain file"]);
    expect(await drawn("/dev/null")).toEqual([73, "error: /dev/null: is no plain file"]);
    expect(await drawn("-")).toEqual([64, "error: --svg writes a file, not stdout, which has the table"]);
    for (const same of [trace, join(folder, "link.svg"), file])
      // oxlint-disable-next-line no-await-in-loop
      expect((await drawn(same))[0]).toBe(64);
    expect(await readFile(trace, "utf8")).toStartWith("seconds,celsius");
    await writeFile(join(there, "old.svg"), "old");
    await symlink("old.svg", join(there, "x.svg"));
    expect(await drawn(join(there, "x.svg"))).toEqual([0, "drew /there/x.svg"]);
    expect(await readFile(join(there, "old.svg"), "utf8")).toEndWith("</svg>\n");
    expect((await readdir(there)).sort()).toEqual(["old.svg", "x.svg"]);
  });
});
