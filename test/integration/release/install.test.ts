import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ownMark } from "../../../src/probe/announce/render-service.ts";

const script = resolve(import.meta.dir, "../../../scripts/install");
const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
let folder = "";
let release = "";
let root = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-install-"));
  release = join(folder, "release");
  root = join(folder, "root");
  await mkdir(release);
  await mkdir(root);
});
afterEach(() => rm(folder, { recursive: true }));

const plain = {
  "usr/lib/berry/fand-failsafe": "#!/bin/sh\n",
  "usr/share/man/man1/berry.1": "manual\n",
  "etc/berry/fand.toml": "# pin = 18\n",
};

/** A release of this machine's architecture whose berry is a script that says its version. */
async function publish(version: string, files: Readonly<Record<string, string>>): Promise<void> {
  await rm(release, { recursive: true });
  const name = `berry-${version}-${architecture}`;
  const tree = join(release, name);
  const all = { "usr/bin/berry": `#!/bin/sh\necho berry ${version}\n`, ...files };
  for (const [path, text] of Object.entries(all)) {
    const file = join(tree, path);
    // oxlint-disable-next-line no-await-in-loop
    await mkdir(dirname(file), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(file, text);
    // oxlint-disable-next-line no-await-in-loop
    if (text.startsWith("#!")) await chmod(file, 0o755);
  }
  shell(`tar -cJf ${name}.tar.xz ${name} && rm -r ${name} && sha256sum *.tar.xz >SHA256SUMS`);
}

function shell(command: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", command], { cwd: release });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

function install(...words: readonly string[]) {
  return installWith({}, ...words);
}

function installWith(env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const { exitCode, stderr } = Bun.spawnSync([script, ...words], {
    env: { PATH: process.env["PATH"], DESTDIR: root, ...env },
  });
  return { exitCode, said: stderr.toString() };
}

/** A PATH whose `install` kills the script that calls it with SIGKILL, when it is to copy that file. */
async function deadlyPath(name: string): Promise<string> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  const real = Bun.which("install") ?? "install";
  await writeFile(
    join(bin, "install"),
    `#!/bin/sh\nfor last; do :; done\n"${real}" "$@"\ncase $last in */${name}.next) kill -9 "$PPID" ;; esac\n`,
    { mode: 0o755 },
  );
  return `${bin}:${process.env["PATH"]}`;
}

/**
 * Installs into a small file system: mounted with the first options, then with the next ones; and undoes that in the end.
 * What lies there after each is listed.
 */
function onDisk(...mounts: readonly [string, string, string?]) {
  const [first, second, last] = mounts;
  const tell = `find "$DESTDIR" ! -type d ! -path '*/usr/*'; find "$DESTDIR" -name '*.next'`;
  const again = last === undefined ? "" : `mount -o ${last} "$DESTDIR"; `;
  const { exitCode, stderr } = Bun.spawnSync(
    [
      ...["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c"],
      `exec >&2; mount -t tmpfs -o ${first} tmpfs "$DESTDIR"
      "$0" --from "$1"; echo exit $?; ${tell}
      mount -o ${second} "$DESTDIR"; "$0" --from "$1"
      ${again}"$0" --undo; echo undone $?; echo left:; find "$DESTDIR" ! -type d`,
      script,
      release,
    ],
    { env: { PATH: process.env["PATH"], DESTDIR: root } },
  );
  return { exitCode, said: stderr.toString() };
}

const put = () => install("--from", release);
const there = (path: string) => readFile(join(root, path), "utf8");
const files = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();

describe("scripts/install", () => {
  test("puts everything in place, twice if need be, and takes it away again", async () => {
    await publish("1.0.0", plain);
    expect(put()).toMatchObject({ exitCode: 0 });
    const { said } = put();
    expect(said).toContain("installed: berry 1.0.0");
    expect(said.includes("berry imager --berry berry-1.0.0-1-aarch64.pkg.tar.zst\n")).toBe(
      architecture === "x86_64",
    );
    expect(await files()).toEqual([
      "etc/berry/fand.toml",
      "usr/bin/berry",
      "usr/lib/berry/fand-failsafe",
      "usr/share/man/man1/berry.1",
      "var/lib/berry/installed",
    ]);
    expect(install("--undo").exitCode).toBe(0);
    expect(await files()).toEqual([]);
  });
  test("upgrades: what changed is replaced, and what a version has no more is gone", async () => {
    await publish("1.0.0", plain);
    put();
    await publish("1.1.0", { "etc/berry/fand.toml": "# pin = 12\n", "usr/share/fish/berry.fish": "new\n" });
    expect(put().said).toContain("installed: berry 1.1.0");
    expect(await there("usr/bin/berry")).toContain("1.1.0");
    expect(await there("etc/berry/fand.toml")).toBe("# pin = 12\n");
    expect(await files()).not.toContain("usr/share/man/man1/berry.1");
    expect(install("--undo").exitCode).toBe(0);
    expect(await files()).toEqual([]);
  });
  test("leaves a configuration that was changed, at an upgrade and in the end", async () => {
    await publish("1.0.0", plain);
    put();
    await writeFile(join(root, "etc/berry/fand.toml"), "pin = 13\n");
    await publish("1.1.0", { ...plain, "etc/berry/fand.toml": "# pin = 12\n" });
    const { exitCode, said } = put();
    expect(exitCode).toBe(0);
    expect(said).toContain("etc/berry/fand.toml was changed: it stays");
    expect(await there("etc/berry/fand.toml")).toBe("pin = 13\n");
    expect(await there("etc/berry/fand.toml.new")).toBe("# pin = 12\n");
    expect(install("--undo").said).toContain("it stays");
    expect(await files()).toEqual(["etc/berry/fand.toml"]);
  });
  test("says nothing of a new configuration where the default has not changed", async () => {
    await publish("1.0.0", plain);
    put();
    await writeFile(join(root, "etc/berry/fand.toml"), "pin = 13\n");
    await publish("1.1.0", plain);
    expect(put().said).toContain("etc/berry/fand.toml was changed: it stays\n");
    expect(await there("etc/berry/fand.toml")).toBe("pin = 13\n");
    expect(await files()).not.toContain("etc/berry/fand.toml.new");
  });
  test("leaves a configuration that was there before it came", async () => {
    await mkdir(join(root, "etc/berry"), { recursive: true });
    await writeFile(join(root, "etc/berry/fand.toml"), "pin = 13\n");
    await publish("1.0.0", plain);
    expect(put().exitCode).toBe(0);
    expect(await there("etc/berry/fand.toml")).toBe("pin = 13\n");
    install("--undo");
    expect(await files()).toEqual(["etc/berry/fand.toml"]);
  });
  test("takes away what it has installed alone, not what somebody put in its place", async () => {
    await publish("1.0.0", plain);
    put();
    await writeFile(join(root, "usr/bin/berry"), "another berry\n");
    expect(install("--undo").said).toContain("usr/bin/berry was changed: it stays");
    expect(await files()).toEqual(["usr/bin/berry"]);
  });
  test("puts zsh's completion where Debian's zsh looks for it, from an earlier place, too", async () => {
    const zsh = async () => (await files()).filter((path) => path.includes("zsh"));
    await publish("1.0.0", { ...plain, "usr/share/zsh/site-functions/_berry": "#compdef berry\n" });
    put();
    expect(await zsh()).toEqual(["usr/share/zsh/site-functions/_berry"]);
    await writeFile(join(root, "etc/debian_version"), "13.1\n");
    expect(put().exitCode).toBe(0);
    expect(await zsh()).toEqual(["usr/share/zsh/vendor-completions/_berry"]);
    expect(put().exitCode).toBe(0);
    expect(await there("usr/share/zsh/vendor-completions/_berry")).toBe("#compdef berry\n");
    expect(install("--undo").exitCode).toBe(0);
    expect(await files()).toEqual(["etc/debian_version"]);
  });
  test("ends what avahi announces, unless somebody else wrote that", async () => {
    const announced = join(root, "etc/avahi/services/berry.service");
    await mkdir(dirname(announced), { recursive: true });
    for (const [text, stays] of [
      [`${ownMark}\n<service-group/>\n`, false],
      ["<service-group/>\n", true],
    ] as const) {
      await publish("1", plain);
      install("--from", release);
      await writeFile(announced, text);
      expect(install("--undo").exitCode).toBe(0);
      expect(await Bun.file(announced).exists()).toBe(stays);
    }
  });

  test.each(["berry", "berry.1"])("undoes an installation that was killed at %s", async (name) => {
    await publish("1.0.0", plain);
    expect(installWith({ PATH: await deadlyPath(name) }, "--from", release).exitCode).not.toBe(0);
    expect(await files()).toContain("var/lib/berry/installed");
    expect(install("--undo").exitCode).toBe(0);
    expect(await files()).toEqual([]);
  });
  test.each(["berry", "berry.1"])("completes or undoes an upgrade that was killed at %s", async (name) => {
    await publish("1.0.0", plain);
    put();
    await publish("1.1.0", {
      ...plain,
      "etc/berry/fand.toml": "# pin = 12\n",
      "usr/share/man/man1/berry.1": "new\n",
    });
    const deadly = { PATH: await deadlyPath(name) };
    expect(installWith(deadly, "--from", release).exitCode).not.toBe(0);
    expect(put().exitCode).toBe(0);
    expect(await there("usr/bin/berry")).toContain("1.1.0");
    expect(await there("etc/berry/fand.toml")).toBe("# pin = 12\n");
    expect((await files()).filter((path) => /\.next$|work/.test(path))).toEqual([]);
    await publish("1.2.0", plain);
    installWith(deadly, "--from", release);
    expect(install("--undo").said).not.toContain("was changed");
    expect(await files()).toEqual([]);
  });
  test("is run from the archive that it lies in, when that was unpacked", async () => {
    await publish("1.0.0", plain);
    const name = `berry-1.0.0-${architecture}`;
    shell(`tar -xJf ${name}.tar.xz && cp ${script} ${name}/install && rm *.tar.xz SHA256SUMS`);
    const { exitCode } = Bun.spawnSync([join(release, name, "install")], {
      env: { PATH: process.env["PATH"], DESTDIR: root },
      stderr: "ignore",
    });
    expect(exitCode).toBe(0);
    expect(await there("usr/bin/berry")).toContain("1.0.0");
    expect(await files()).not.toContain("install");
  });
  test("refuses an archive that is not the one of SHA256SUMS, and touches nothing", async () => {
    await publish("1.0.0", plain);
    shell(`printf x >>berry-1.0.0-${architecture}.tar.xz`);
    const { exitCode, said } = put();
    expect(exitCode).toBe(65);
    expect(said).toContain("was damaged or changed");
    expect(await files()).toEqual([]);
  });
  test("refuses an archive that cannot be unpacked, and touches nothing", async () => {
    await publish("1.0.0", plain);
    const name = `berry-1.0.0-${architecture}.tar.xz`;
    shell(`truncate -s 200 ${name} && sha256sum *.tar.xz >SHA256SUMS`);
    const { exitCode, said } = put();
    expect(exitCode).toBe(65);
    expect(said).toMatch(/^error: .*cannot be unpacked.*\nhint: .*\n$/);
    expect(await files()).toEqual([]);
  });
  describe.each([
    ["the archive", 64],
    ["what it installs", 1200],
  ])("where there is no room for %s", (_, kibibytes) => {
    test("says so, leaves nothing half-written, and goes on or away as soon as there is", async () => {
      await publish("1.0.0", { ...plain, "usr/lib/berry/large": randomBytes(400 * 1024).toString("hex") });
      const small = onDisk(`size=${kibibytes}k`, "remount,size=8m");
      expect(small.exitCode).toBe(0);
      expect(small.said).toMatch(
        /^error: cannot write below .*: No space left on device\nhint: make room there and run this again.*\nexit 73\n/,
      );
      expect(small.said).not.toContain(".next");
      expect(small.said).toContain("installed: berry 1.0.0");
      expect(small.said).toEndWith("left:\n");
    });
  });
  test("says that the root cannot be written, and that it cannot be undone then", async () => {
    await publish("1.0.0", plain);
    const { said } = onDisk("size=8m,ro", "remount,rw", "remount,ro");
    expect(said).toMatch(
      /^error: cannot write below .*: Read-only file system\nhint: let it be written and run this again\nexit 73\n/,
    );
    expect(said).toMatch(/\nerror: cannot remove .*: Read-only file system\nhint: .*\nundone 73\n/);
  });
  test("refuses a berry that does not start here, and touches nothing", async () => {
    await publish("1.0.0", { ...plain, "usr/bin/berry": "#!/bin/false\n" });
    expect(put()).toMatchObject({ exitCode: 70 });
    expect(await files()).toEqual([]);
  });
  test.each([
    ["no archive for this machine", `mv berry-1.0.0-${architecture}.tar.xz berry-1.0.0-riscv64.tar.xz`, 66],
    ["two archives for it", `cp berry-1.0.0-${architecture}.tar.xz berry-1.1.0-${architecture}.tar.xz`, 66],
    ["no digests", "rm SHA256SUMS", 66],
    ["digests of something else", "echo 0  other >SHA256SUMS", 65],
  ] as const)("refuses a folder with %s", async (_, command, code) => {
    await publish("1.0.0", plain);
    shell(command);
    expect(put()).toMatchObject({ exitCode: code });
    expect(await files()).toEqual([]);
  });
  test("refuses to undo what is not there, and words that it does not know", () => {
    expect(install("--undo").exitCode).toBe(66);
    expect(install("--remove").exitCode).toBe(64);
    expect(install("--from").exitCode).toBe(64);
  });
});
