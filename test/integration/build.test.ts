import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json";

const house = resolve(import.meta.dir, "../..");
const native = process.arch === "arm64" ? "aarch64" : "x86_64";

let folder = "";
let berry = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-build-"));
  const built = Bun.spawnSync([
    process.execPath,
    join(house, "scripts/build.ts"),
    "--arch",
    native,
    "--out",
    folder,
  ]);
  if (!built.success) throw new Error(built.stderr.toString());
  berry = join(folder, `berry-${native}`);
}, 60_000);

afterAll(() => rm(folder, { recursive: true }));

function run(words: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...words], { cwd: folder, env: {}, ...options });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** A folder whose files would steer a Bun that reads them. */
async function hostileFolder(): Promise<string> {
  const hostile = await mkdtemp(join(folder, "hostile-"));
  const evil = 'await Bun.write("was-here", "");\n';
  const files = {
    ".env": "NO_COLOR=1\nBUN_OPTIONS=--preload=./evil.ts\nNODE_OPTIONS=--require=./evil.ts\n",
    "bunfig.toml": 'preload = ["./evil.ts"]\nlogLevel = "debug"\n',
    "tsconfig.json": "{ not json",
    "package.json": "{ not json",
    "evil.ts": evil,
  };
  for (const [name, content] of Object.entries(files)) await Bun.write(join(hostile, name), content);
  return hostile;
}

test("the binary says version, commit and architecture", () => {
  const { stdout, exitCode } = run([berry, "--version"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^berry (\S+) \(commit ([0-9a-f]{7,}(-dirty)?|unknown), (x86_64|aarch64)\)\n$/);
  expect(stdout).toContain(`berry ${version} `);
  expect(stdout).toContain(native);
});

test("the binary prints the same help as the source", () => {
  const compiled = run([berry, "--help"]);
  expect(compiled).toEqual(run([process.execPath, join(house, "src/main.ts"), "--help"]));
  expect(compiled.stdout).toContain("berry imager");
});

test("the binary carries the targets", () => {
  const { stdout } = run([berry, "imager", "targets", "--json"]);
  const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  expect(names).toContain("debian-arm64");
});

test("a slip ends the binary with the exit code of its kind", () => {
  expect(run([berry, "imagr"])).toEqual({
    exitCode: 64,
    stdout: "",
    stderr: "error: unknown command 'imagr' of berry\nhint: did you mean berry imager?\n",
  });
});

test("the folder where the binary runs does not influence it", async () => {
  const hostile = await hostileFolder();
  const before = await readdir(hostile);
  expect(run([berry, "--help"], { cwd: hostile })).toEqual(run([berry, "--help"]));
  expect(await readdir(hostile)).toEqual(before);
});

test("a Bun that reads the hostile folder is steered by it, so that the test above can fail", async () => {
  const hostile = await hostileFolder();
  await rm(join(hostile, "package.json"));
  run([process.execPath, join(house, "src/main.ts"), "--help"], { cwd: hostile });
  expect(await readdir(hostile)).toContain("was-here");
});

test("a .env file does not reach the binary's environment: NO_COLOR in it changes nothing on a terminal", async () => {
  const onTerminal = (cwd: string) =>
    run(["script", "--quiet", "--return", "--command", `${berry} --help`, "/dev/null"], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", TERM: "xterm" },
    }).stdout;
  expect(onTerminal(folder)).toContain("\u001B[1m");
  expect(onTerminal(await hostileFolder())).toBe(onTerminal(folder));
});

test("a reader that goes away is no error", () => {
  expect(
    run(["bash", "-c", `set -o pipefail; ${berry} --help | head -n 1`], {
      env: { PATH: process.env["PATH"] ?? "" },
    }),
  ).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(/^.+\n$/),
    stderr: "",
  });
});
