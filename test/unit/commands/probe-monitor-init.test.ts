import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berry } from "../../../src/main.ts";
import { monitorFiles } from "../../../src/probe/monitor/monitor-files.ts";
import { run } from "../cli/fakes.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-monitor-"));
});
afterEach(() => rm(folder, { recursive: true }));

const init = (...words: readonly string[]) => run(["probe", "monitor", "init", ...words], berry);

describe("berry probe monitor init", () => {
  test("writes everything into a folder that it makes, and says what is left to do", async () => {
    const target = join(folder, "new", "monitoring");
    const { exitCode, stdout, stderr } = await init(target);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const { name, text } of monitorFiles) {
      expect(stdout).toContain(`wrote ${join(target, name)}: `);
      expect(await readFile(join(target, name), "utf8")).toBe(text);
    }
    expect(stdout).toContain("berry probe --watch -o prom-sd --write /run/berry-targets/nodes.json\n");
  });
  test("may be run again, and writes what is missing alone", async () => {
    await init(folder);
    await rm(join(folder, "berry-alerts.yml"));
    const { stdout } = await init(folder, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      written: [join(folder, "berry-alerts.yml")],
      unchanged: [join(folder, "prometheus.yml"), join(folder, "berry-targets.service")],
    });
  });
  test("writes nothing where a file says something else", async () => {
    await writeFile(join(folder, "prometheus.yml"), "mine\n");
    const { exitCode, stdout, stderr } = await init(folder);
    expect({ exitCode, stdout }).toEqual({ exitCode: 73, stdout: "" });
    expect(stderr).toContain(`${join(folder, "prometheus.yml")}: not as berry would write it`);
    expect(await readdir(folder)).toEqual(["prometheus.yml"]);
    expect(await readFile(join(folder, "prometheus.yml"), "utf8")).toBe("mine\n");
  });
  test("says that a name is none of a folder", async () => {
    const file = join(folder, "file");
    await writeFile(file, "mine\n");
    expect(await init(file)).toEqual({
      exitCode: 73,
      stdout: "",
      stderr: `error: ${file}: a file, and not a folder\nhint: name another folder: berry probe monitor init FOLDER\n`,
    });
    expect(await init("")).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining("the folder's name is empty\nhint: name another"),
    });
    expect(await readFile(file, "utf8")).toBe("mine\n");
  });
  test("says where it cannot write, and how to name another folder", async () => {
    const { exitCode, stderr } = await init("/proc/nowhere");
    expect(exitCode).toBe(73);
    expect(stderr).toContain("cannot write /proc/nowhere");
    expect(stderr).toContain("berry probe monitor init FOLDER");
  });
});
