import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommandLine } from "../../../src/cli/run.ts";
import { berry } from "../../../src/main.ts";
import { createLog } from "../../../src/system/log.ts";
import { pageOf, type PageServer, servePage } from "../../fixtures/page-server.ts";
import { recorder, run as runBerry } from "../cli/fakes.ts";

const page = readFileSync(join(import.meta.dir, "../../fixtures/node-exporter.prom"), "utf8");
let folder = "";
let server: PageServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-probe-"));
  server = await servePage(pageOf(page));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The loopback has no multicast: hosts that are named are asked, and nobody else. */
const run = (...words: readonly string[]) => runBare("--iface", "lo", ...words);
const runBare = (...words: readonly string[]) => runBerry(["probe", ...words], berry);
const alone = (...words: readonly string[]) =>
  run("--no-cluster", "--host", `127.0.0.1:${server.port}`, ...words);

describe("berry probe", () => {
  test("shows who lives, and how", async () => {
    const { exitCode, stdout } = await alone();
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/).join("|"))).toEqual([
      "NAME|STATE|MODEL|ADDRESS|TEMP|FAN|LOAD|MEMORY|DISK|THROTTLED|UPTIME|ROLE|VERSION",
      "pi1|alive|-|127.0.0.1|52.6 °C|40 % 2150 rpm|1.03|2 %|25 %|was: under-voltage|6 h 37 min|-|0.1.0",
      "",
      "warning pi1: slowed down since it was started: under-voltage",
      "",
    ]);
    expect(exitCode).toBe(0);
  });
  test("shows who is dead, and says so by its exit code", async () => {
    const gone = await servePage(() => undefined);
    await gone[Symbol.asyncDispose]();
    const { exitCode, stdout, stderr } = await run("--no-cluster", "--host", `127.0.0.1:${gone.port}`);
    expect(stdout).toContain("dead 127.0.0.1: nobody listens there");
    expect(stderr).toContain("error: not well: 127.0.0.1 (dead)\n");
    expect(exitCode).toBe(1);
  });
  test("shows a host that nobody knows as dead", async () => {
    const { exitCode, stdout, stderr } = await run("--no-cluster", "--host", "no-such-host.invalid");
    expect(stdout).toContain("dead no-such-host: its name leads nowhere\n");
    expect(stderr).toContain("error: not well: no-such-host (dead)\n");
    expect(exitCode).toBe(1);
  });
  test("shows who is missing of berry.toml", async () => {
    const file = join(folder, "berry.toml");
    await writeFile(
      join(folder, "key.pub"),
      `ssh-ed25519 ${btoa("\0\0\0\u000Bssh-ed25519\0\0\0 ".concat("k".repeat(32)))} x\n`,
    );
    await writeFile(
      file,
      '[cluster]\nname = "berry"\n[user]\nname = "chaney"\nauthorized_keys = ["key.pub"]\nsudo = "none"\n[[node]]\nname = "pi1"\nrole = "server"\n[[node]]\nname = "pi2"\n',
    );
    const host = ["--file", file, "--host", `127.0.0.1:${server.port}`];
    const { exitCode, stdout, stderr } = await run(...host);
    expect(stderr).toContain("error: not well: pi2 (missing)\n");
    expect(stdout).toContain("missing pi2: berry.toml has it, nobody heard of it\n");
    expect(exitCode).toBe(1);
    expect((await run(...host, "-o", "ssh-config")).stdout).toBe(
      "Host pi1\n    HostName 127.0.0.1\n    HostKeyAlias pi1\n    User chaney\n",
    );
    const chosen = await run(...host, "--filter", "role==server", "-o", "names");
    expect([chosen.exitCode, chosen.stdout]).toEqual([0, "pi1\n"]);
  });
  test("needs of berry.toml what it says of the nodes, and not the imager's secrets", async () => {
    const file = join(folder, "secrets.toml");
    const text =
      '[user]\nname = "chaney"\npassword_file = "/nonexistent"\n[wifi]\nssid = 5\n[[node]]\nname = "pi1"\n[[node]]\nname = "PI 2"\n';
    await writeFile(file, text);
    const host = ["--file", file, "--host", `127.0.0.1:${server.port}`, "-o", "ssh-config"];
    const { exitCode, stdout, stderr } = await run(...host);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: "Host pi1\n    HostName 127.0.0.1\n    HostKeyAlias pi1\n    User chaney\n",
    });
    expect(stderr).toContain(`${file}: 1 of its nodes without a name`);
    await writeFile(file, text.slice(0, text.indexOf("[[")));
    expect(await run(...host)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining("the cluster has no node"),
    });
  });
  test.each([
    ["a link to itself", (path: string) => symlink(path, path), 77, "cannot be read"],
    ["a folder", (path: string) => mkdir(path), 66, "a folder, and not a file\nhint: ls -ld"],
    ["no TOML", (path: string) => writeFile(path, "[["), 78, "line 1"],
  ])("does not take %s for no berry.toml", async (_, make, code, problem) => {
    const [before, place] = [process.cwd(), await mkdtemp(join(folder, "place-"))];
    await make(join(place, "berry.toml"));
    process.chdir(place);
    try {
      const { exitCode, stderr } = await run("--host", `127.0.0.1:${server.port}`);
      expect(stderr).toContain("error: berry.toml: ");
      expect(stderr).toContain(problem);
      expect(exitCode).toBe(code);
    } finally {
      process.chdir(before);
    }
  });
  test("prints one JSON document, and tells on stderr what is wrong", async () => {
    const gone = await servePage(() => undefined);
    await gone[Symbol.asyncDispose]();
    const { exitCode, stdout, stderr } = await run(
      "--no-cluster",
      "--host",
      `127.0.0.1:${gone.port}`,
      "--json",
    );
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ name: "127.0.0.1", state: "dead" }]);
    expect(JSON.parse(stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({
      event: "failed",
      kind: "unhealthy",
    });
  });
  test("prints JSON, as a whole or in lines", async () => {
    const { stdout } = await alone("--json");
    expect(JSON.parse(stdout)).toMatchObject([{ name: "pi1", state: "alive", temperature_celsius: 52.582 }]);
    expect((await alone("-o", "json")).stdout.length).toBeGreaterThan(100);
    expect(JSON.parse((await alone("-o", "ndjson")).stdout)).toMatchObject({ name: "pi1" });
  });
  test("tells that the filter lets nobody pass", async () => {
    const { exitCode, stdout, stderr } = await alone("--filter", "temp>90");
    expect([exitCode, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("1 found, none of them as the filter wants it\n");
  });
  test("fails where nobody could be looked for", async () => {
    const { exitCode, stderr } = await run("--no-cluster");
    expect(exitCode).toBe(69);
    expect(stderr).toContain("interface lo");
  });
});

describe("berry probe --expect", () => {
  test("ends well when as many live", async () => {
    expect((await alone("--expect", "1", "-o", "names")).exitCode).toBe(0);
  });
  test.each(["0.5s1ms", "1min0.5s", "2h30m", "30"])("may take %s", async (time) => {
    expect((await alone("--expect", "1", "--timeout", time, "-o", "names")).exitCode).toBe(0);
  });
  test("ends badly when they do not in time", async () => {
    const { exitCode, stdout, stderr } = await alone("--expect", "2", "--timeout", "1ms", "-o", "names");
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(/error: [01] of 2 expected nodes live\n/);
    expect(stdout.length).toBeLessThan(5);
  });
});

describe("berry probe --write", () => {
  test("writes when there is something new", async () => {
    const file = join(folder, "nodes.json");
    const words = ["-o", "prom-sd", "--write", file];
    expect(await alone(...words)).toMatchObject({ exitCode: 0, stdout: "" });
    const { ino } = await stat(file);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual([
      { targets: [`127.0.0.1:${server.port}`], labels: { node: "pi1" } },
    ]);
    expect((await alone(...words)).stderr).toContain(`unchanged: ${file}: 1 node\n`);
    expect((await stat(file)).ino).toBe(ino);
    await writeFile(file, "[]");
    expect((await alone(...words)).stderr).toContain(`wrote ${file}: 1 node\n`);
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
  });
  test("writes what a link names, and leaves its mode", async () => {
    const [target, link] = [join(folder, "target.txt"), join(folder, "link.txt")];
    await writeFile(target, "", { mode: 0o640 });
    await symlink(target, link);
    await alone("-o", "names", "--write", link);
    expect(await readFile(target, "utf8")).toBe("pi1\n");
    expect((await stat(target)).mode & 0o777).toBe(0o640);
  });
  test("leaves a file as it is where nobody is found, and makes one where there is none", async () => {
    const file = join(folder, "kept.json");
    const words = ["--no-cluster", "--host", "no-such-host.invalid", "-o", "prom-sd", "--write", file];
    await run(...words);
    expect(await readFile(file, "utf8")).toBe("[]\n");
    await writeFile(file, "the nodes of yesterday\n");
    expect((await run(...words)).stderr).toContain(`left as it is: ${file}: no node was found\n`);
    expect(await readFile(file, "utf8")).toBe("the nodes of yesterday\n");
  });
  test("leaves it so while it watches, too, until somebody is heard of", async () => {
    const file = join(folder, "watched.json");
    await writeFile(file, "the nodes of yesterday\n");
    const over = new AbortController();
    const told = recorder();
    const stderr = {
      ...told,
      write(text: string) {
        told.write(text);
        if (/left as it is|wrote /.test(text)) over.abort();
      },
    };
    const version = { version: "1", commit: "x", architecture: "x86_64" } as const;
    const words = ["--iface", "lo", "--no-cluster", "--watch", "-o", "prom-sd", "--write", file];
    await runCommandLine(berry, "berry", ["probe", ...words], {
      stdout: recorder(),
      stderr,
      version,
      createLog,
      signal: over.signal,
    });
    expect(told.text()).toContain(`left as it is: ${file}: no node was found\n`);
    expect(await readFile(file, "utf8")).toBe("the nodes of yesterday\n");
  });
  test("writes over nothing but files", async () => {
    for (const place of [folder, "/dev/null"])
      expect(await alone("-o", "names", "--write", place)).toMatchObject({
        exitCode: 73,
        stderr: expect.stringContaining(`error: ${place}: not a file, and nothing is written over it\n`),
      });
    expect((await alone("-o", "names", "--write", join(folder, "none/x"))).exitCode).toBe(73);
  });
});

test("berry probe --watch ends when its reader has gone", async () => {
  const main = join(import.meta.dir, "../../../src/main.ts");
  const words = "probe --watch --no-cluster --iface lo --host 127.0.0.1:1 -o ndjson";
  const script = `{ "$0" "$1" ${words} 2>/dev/null; echo "ended with $?" >&2; } | head -1`;
  const child = Bun.spawn(["bash", "-c", script, process.execPath, main], { stdout: "pipe", stderr: "pipe" });
  expect(JSON.parse(await child.stdout.text())).toMatchObject({ name: "127.0.0.1", state: "dead" });
  expect(await child.stderr.text()).toBe("ended with 0\n");
}, 30_000);

describe("what cannot be meant is refused before anybody is asked", () => {
  test.each([
    [["--filter", "tmp>70"], "there is no field 'tmp'", "did you mean temp?"],
    [["--expect", "0"], "--expect is how many nodes have to live, got '0'", "--expect 4"],
    [["--expect", "many"], "--expect is how many nodes have to live, got 'many'", "--expect 4"],
    [["--expect", "2", "--watch"], "--expect ends, and --watch does not", "leave one"],
    [["--timeout", "soon"], "--timeout is a time of at most a day, got 'soon'", "--timeout 30"],
    [["--timeout", "1min30"], "--timeout is a time of at most a day, got '1min30'", "1min30s"],
    [["--timeout", "23h61min"], "--timeout is a time of at most a day, got '23h61min'", "1min30s"],
    [["--timeout", "2d"], "--timeout is a time of at most a day, got '2d'", "--timeout 30"],
    [["--timeout", "2", "--watch"], "--watch has no --timeout", "Ctrl-C"],
    [["--watch", "-o", "hosts"], "--watch has no end, and -o hosts is a whole", "--write FILE"],
    [["--json", "-o", "hosts"], "--json is -o json, not -o hosts", "leave one"],
    [["-o", "tabel"], "--output of berry probe find is one of table, wide", "did you mean table?"],
    [["--host", ","], "--host names nothing, got ','", "--host pi1"],
    [["--iface", ","], "--iface names nothing, got ','", "--iface eth0"],
    [["--iface", "nope", "--via", "avahi"], "--iface: there is no interface nope", "there are "],
    [["--host", "fe80::1%nope"], "--host: there is no interface nope", "there are "],
    [["--host", "fe80::1%nope", "--watch"], "--host: there is no interface nope", "there are "],
    [["--host", "pi 1"], "--host", "pi1"],
    [["--host", "pi1:99999"], "--host", "pi1"],
    [["--via", "bonjour"], "--via of berry probe find is one of mdns, avahi", ""],
  ])("%j", async (words, problem, hint) => {
    const iface = words.includes("--iface") ? [] : ["--iface", "lo"];
    const { exitCode, stdout, stderr } = await runBare(...iface, "--no-cluster", ...words);
    expect(exitCode).toBe(64);
    expect(`${stdout}${stderr}`).toContain(problem);
    expect(`${stdout}${stderr}`).toContain(hint);
  });
});
