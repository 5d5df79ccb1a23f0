import { describe, expect, test } from "bun:test";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compiledBerry } from "../fixtures/compiled-berry.ts";
import { ordinaryUser } from "../fixtures/ordinary-user.ts";

const { signal } = new AbortController();
const berry = await compiledBerry(signal);
const user = await ordinaryUser(signal);
const isRoot = process.getuid?.() === 0;

interface Said {
  readonly roles: readonly {
    readonly role: string;
    readonly level: string;
    readonly findings: readonly {
      readonly level: string;
      readonly what: string;
      readonly remedy: string | null;
    }[];
  }[];
  readonly install: string | null;
}

/** What it says in an empty folder, with what a berry.toml has where one is given. */
async function ask(
  words: readonly string[],
  { path = "", toml = "", home = "", mode = 0o755, enter = [] as readonly string[] } = {},
) {
  await using folder = await user.makeFolder();
  if (toml !== "") await writeFile(join(folder.path, "berry.toml"), toml);
  await chmod(folder.path, mode);
  const env = { ...(path === "" ? {} : { PATH: path }), ...(home === "" ? {} : { HOME: home }) };
  const options = { cwd: folder.path, env };
  return await user.run([...enter, berry.path, "doctor", ...words], options, signal);
}
function roleOf(stdout: string, wanted: string): Said["roles"][number] {
  const found = (JSON.parse(stdout) as Said).roles.find(({ role }) => role === wanted);
  if (found === undefined) throw new Error(`no ${wanted} in ${stdout}`);
  return found;
}

describe("berry doctor, to an ordinary user", () => {
  test("says that this machine can bake, as the tests of baking show", async () => {
    const { stdout, stderr, exitCode } = await ask(["bake"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain("bake: ready: images can be baked\n");
    expect(stdout).toContain("Debian 13 trixie (debian-arm64) can be baked\n");
  });
  test("names what is missing where the tools are, by one command, and fails", async () => {
    const { stdout, stderr, exitCode } = await ask(["--json"], { path: "/nonexistent" });
    expect(exitCode).toBe(69);
    expect(JSON.parse(stderr)).toMatchObject({ event: "failed", kind: "unavailable" });
    const bake = roleOf(stdout, "bake");
    expect(bake.level).toBe("missing");
    const [first] = bake.findings;
    expect(first?.what).toContain("mcopy");
    expect(first?.what).toContain("newuidmap");
    expect(first?.what).toContain("qemu-aarch64-static");
    expect(first?.remedy).toMatch(/^sudo (?:apt-get|pacman|dnf) .*\bmtools\b.*\bqemu-user-static/);
    expect(new Set(bake.findings.map(({ remedy }) => remedy)).size).toBe(1);
    // the other roles are looked at all the same
    expect((JSON.parse(stdout) as Said).roles.map(({ role }) => role)).toEqual([
      "bake",
      "write",
      "cool",
      "probe",
    ]);
  });
  test("does not fail for a card that is not there, nor for what it was not asked about", async () => {
    const { stdout, exitCode } = await ask(["write", "--json"], { path: "/nonexistent" });
    // a developer's card may be mounted
    expect(exitCode).toBe(roleOf(stdout, "write").level === "missing" ? 69 : 0);
    expect((JSON.parse(stdout) as Said).roles).toHaveLength(1);
  });
  test("tells what is wrong with a berry.toml, and looks at the machine all the same", async () => {
    const { stdout, exitCode } = await ask(["bake", "--json"], { toml: '[[node]]\nname = "PI 1"\n' });
    expect(exitCode).toBe(69);
    const { level, findings } = roleOf(stdout, "bake");
    expect(level).toBe("missing");
    const wrong = findings.find(({ what }) => what.includes("node[#1].name: not a host name"));
    expect(wrong?.level).toBe("missing");
    expect(wrong?.remedy).toContain("berry imager plan");
    expect(findings.at(-1)).toMatchObject({ level: "ready" });
    const { stdout: torn } = await ask(["bake", "--json"], { toml: "[[node\n" });
    expect(roleOf(torn, "bake").level).toBe("missing");
  });
  test("does not call a bake ready whose cache cannot be made", async () => {
    const { stdout, exitCode } = await ask(["bake", "--json"], { home: "/nonexistent" });
    expect(exitCode).toBe(69);
    const found = roleOf(stdout, "bake").findings.find(({ what }) =>
      what.includes("/nonexistent/.cache/berry"),
    );
    expect(found?.level).toBe("missing");
    expect(found?.remedy).toContain("--cache-dir");
  });
  test("says that nothing can be kept in a folder that cannot be written, and does not fail for it", async () => {
    const { stdout, exitCode } = await ask(["bake", "--json"], { mode: 0o555 });
    expect({ exitCode, level: roleOf(stdout, "bake").level }).toEqual({ exitCode: 0, level: "partly" });
  });
  test("finds no network in a namespace that has none", async () => {
    const { stdout, exitCode } = await ask(["probe", "--json"], {
      enter: ["unshare", "--map-root-user", "--net"],
    });
    expect(exitCode).toBe(69);
    expect(roleOf(stdout, "probe")).toMatchObject({ level: "missing" });
  });
  test("says which role cannot be looked at, and goes on with the others", async () => {
    const { stdout, exitCode } = await ask(["write", "bake", "--json"], {
      enter: [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none /sys && exec "$@"',
        "sh",
      ],
    });
    const write = roleOf(stdout, "write");
    expect(write.level).toBe("missing");
    expect(write.findings[0]?.what).toContain("/sys/block");
    expect(roleOf(stdout, "bake").level).toBe("ready");
    expect(exitCode).toBe(69);
  });
  test("says on a Raspberry Pi whether others find it, and does not fail where nobody wants to bake", async () => {
    await using tools = await user.makeFolder();
    const fake = join(tools.path, "systemctl");
    await writeFile(
      fake,
      `#!/bin/sh
case "$*" in
*berry-announce.service*) printf 'LoadState=loaded\\nUnitFileState=disabled\\nActiveState=inactive\\n' ;;
*avahi-daemon.service*) printf 'LoadState=not-found\\nUnitFileState=\\nActiveState=inactive\\n' ;;
esac
`,
    );
    await chmod(fake, 0o755);
    const board = `mount -t tmpfs none /sys && mkdir -p /sys/class/dmi/id &&
      echo Raspberry Pi Foundation >/sys/class/dmi/id/sys_vendor &&
      echo Raspberry Pi 4 Model B >/sys/class/dmi/id/product_name && PATH=${tools.path} exec "$@"`;
    const { stdout, exitCode } = await ask(["--json"], {
      enter: ["unshare", "--map-root-user", "--mount", "sh", "-c", board, "sh"],
    });
    expect(roleOf(stdout, "bake").level).toBe("missing");
    expect(exitCode).toBe(roleOf(stdout, "probe").level === "missing" ? 69 : 0);
    expect(roleOf(stdout, "probe").findings.slice(1)).toEqual([
      {
        level: "missing",
        what: "berry-announce.service does not run: inactive",
        remedy: "sudo systemctl enable --now berry-announce.service",
      },
      {
        level: "missing",
        what: "avahi is not installed: nothing announces this Pi",
        remedy: expect.stringMatching(/^(?:apt-get|pacman|dnf) .* avahi/),
      },
    ]);
    // bake and probe lack packages, and one command has them all
    expect((JSON.parse(stdout) as Said).install).toMatch(/ avahi.* mtools/);
  });
  test("refuses a role that there is not", async () => {
    const { stdout, stderr, exitCode } = await ask(["wirte"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 64 });
    expect(stderr).toContain("did you mean berry doctor write?");
  });
});

test.skipIf(!isRoot)("berry doctor asks root for no sudo and no sub-ids", () => {
  const { stdout, exitCode } = Bun.spawnSync([berry.path, "doctor", "--json", "bake"], {
    cwd: "/",
    env: { PATH: "/nonexistent", HOME: "/root" },
  });
  expect(exitCode).toBe(69);
  const { findings } = roleOf(stdout.toString(), "bake");
  expect(findings[0]?.remedy).toMatch(/^(?:apt-get|pacman|dnf) /);
  expect(findings[0]?.what).not.toContain("newuidmap");
});
