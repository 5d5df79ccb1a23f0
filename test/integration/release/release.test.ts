import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { version } from "../../../package.json";
import { makePackages } from "../../fixtures/arch-package.ts";
import { type ArchFixture, makeArchFixture } from "../../fixtures/archlinuxarm.ts";
import { inEmulatedRoot } from "../../fixtures/emulated-root.ts";
import { ordinaryUser } from "../../fixtures/ordinary-user.ts";
import { mustRun } from "../../fixtures/run.ts";

const house = resolve(import.meta.dir, "../../..");
const patience = 400_000;
const signal = () => AbortSignal.timeout(patience);
const architectures = ["x86_64", "aarch64"] as const;
const names = [
  "NOTES.md",
  "PKGBUILD",
  "SHA256SUMS",
  ...["aarch64", "x86_64"].map((architecture) => `berry-${version}-1-${architecture}.pkg.tar.zst`),
  ...["aarch64", "x86_64"].map((architecture) => `berry-${version}-${architecture}.tar.xz`),
  `berry-${version}.cdx.json`,
  "berry.install",
  "install",
];

let folder = "";
let first = "";
let second = "";
let said = "";
let killed: readonly string[] = [];

const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };

function start(words: readonly string[], tree = house) {
  return Bun.spawn([join(tree, "scripts/release"), ...words], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    detached: true,
  });
}

async function release(words: readonly string[], tree = house) {
  const child = start(words, tree);
  const stderr = await new Response(child.stderr).text();
  return { exitCode: await child.exited, stderr };
}

async function mustRelease(target: string): Promise<string> {
  const { exitCode, stderr } = await release(["--snapshot", "--quick", target]);
  if (exitCode !== 0) throw new Error(stderr);
  return stderr;
}

/** Ends a release, and all that it started, after it has said something for the first time: both programs are compiled then. */
async function killInTheMiddle(target: string): Promise<void> {
  const child = start(["--snapshot", "--quick", target]);
  const reader = child.stderr.getReader();
  await reader.read();
  process.kill(-child.pid, "SIGKILL");
  await child.exited;
}

/** What a release before this one may have left. */
async function earlierRelease(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await writeFile(join(target, "berry-0.0.9-x86_64.tar.xz"), "an older archive\n");
  await writeFile(join(target, "NOTES.md"), "- an older note\n");
  await mustRun(
    ["sh", "-c", "sha256sum -- * >SHA256SUMS.next && mv SHA256SUMS.next SHA256SUMS"],
    { cwd: target },
    signal(),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-release-"));
  await chmod(folder, 0o755);
  first = join(folder, "one");
  second = join(folder, "deep er/two");
  await killInTheMiddle(first);
  killed = await readdir(folder);
  await earlierRelease(second);
  [said] = await Promise.all([mustRelease(first), mustRelease(second)]);
}, patience);

afterAll(() => rm(folder, { recursive: true, force: true }));

const inFirst = (name: string) => readFile(join(first, name), "utf8");
const packageOf = (architecture: string) => join(first, `berry-${version}-1-${architecture}.pkg.tar.zst`);
const entry = (file: string, path: string) =>
  mustRun(["bsdtar", "--extract", "--to-stdout", "--file", file, path], {}, signal());
const entries = async (file: string) =>
  (await mustRun(["bsdtar", "--list", "--verbose", "--file", file], {}, signal())).trimEnd().split("\n");

describe("scripts/release", () => {
  test("hands out archives, packages, a list of the software, notes, and the digests of all of it", async () => {
    expect((await readdir(first)).toSorted()).toEqual(names.toSorted());
    const sums = await inFirst("SHA256SUMS");
    expect(sums.trimEnd().split("\n")).toHaveLength(names.length - 1);
    await mustRun(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: first }, signal());
    expect((await inFirst("NOTES.md")).startsWith("- ")).toBe(true);
  });
  test("runs both programs, whatever this machine is", () => {
    for (const architecture of architectures) expect(said).toContain(`, ${architecture})\n`);
  });
  test("makes the same bytes wherever it works, packages included", async () => {
    expect(await readFile(join(second, "SHA256SUMS"), "utf8")).toBe(await inFirst("SHA256SUMS"));
  });
  test("takes the place of an earlier release, of which nothing stays", async () => {
    expect((await readdir(second)).toSorted()).toEqual(names.toSorted());
    expect(await readdir(dirname(second))).toEqual(["two"]);
  });
  test("leaves nothing that looks like a release when it is killed, and nothing beside one that it made", async () => {
    expect(killed).toEqual([".one.partial"]);
    expect((await readdir(folder)).toSorted()).toEqual(["deep er", "one"]);
  });
  test.each(architectures)("packs an archive for %s of everything, owned by root", async (architecture) => {
    const listed = await entries(join(first, `berry-${version}-${architecture}.tar.xz`));
    const top = `berry-${version}-${architecture}`;
    const paths = listed.map((line) => line.split(/\s+/).at(-1) ?? "");
    for (const path of [
      "install",
      "usr/bin/berry",
      "usr/lib/berry/fand-failsafe",
      "usr/lib/systemd/system/berry-fand.service",
      "usr/share/bash-completion/completions/berry",
      "usr/share/zsh/site-functions/_berry",
      "usr/share/fish/vendor_completions.d/berry.fish",
      "usr/share/man/man1/berry.1",
      "usr/share/licenses/berry/LICENSE",
      "usr/share/licenses/berry/THIRD-PARTY",
      "etc/berry/fand.toml",
    ])
      expect(paths).toContain(`${top}/${path}`);
    for (const line of listed)
      expect(line).toMatch(/^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) +\d+ (0|root) +(0|root) /);
  });
  test.each(architectures)(
    "packs a package for %s that tells nothing of this machine",
    async (architecture) => {
      const file = packageOf(architecture);
      const info = (await entry(file, ".PKGINFO")).split("\n");
      for (const line of [
        "pkgname = berry",
        `pkgver = ${version}-1`,
        `arch = ${architecture}`,
        "license = MIT",
        "backup = etc/berry/fand.toml",
        "depend = glibc",
      ])
        expect(info).toContain(line);
      const made = await entry(file, ".BUILDINFO");
      expect(made).toContain("builddir = /mnt\nstartdir = /mnt\n");
      expect(made).not.toContain("installed = ");
      for (const text of [made, info.join("\n"), await entry(file, ".INSTALL")]) {
        expect(text).not.toContain(folder);
        expect(text).not.toContain(house);
      }
      const paths = (await entries(file)).map((line) => line.split(/\s+/).at(-1));
      expect(paths).toContain("usr/share/man/man1/berry.1.gz");
      const program = await mustRun(
        [
          "sh",
          "-c",
          'bsdtar -xOf "$1" usr/bin/berry | grep -acF -e "$2" -e "$3" || true',
          "sh",
          file,
          house,
          folder,
        ],
        {},
        signal(),
      );
      expect(program).toBe("0\n");
    },
    patience,
  );
  test("lists what is inside as CycloneDX demands it, with versions and digests", async () => {
    const text = await inFirst(`berry-${version}.cdx.json`);
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
    const { components } = JSON.parse(text) as { components: { name: string; hashes?: unknown[] }[] };
    const listed = components.map(({ name }) => name);
    for (const name of ["bun", "zod", "citty", "openpgp", "smol-toml"]) expect(listed).toContain(name);
    expect(listed).not.toContain("oxlint");
    for (const { name, hashes } of components) if (name !== "bun") expect(hashes).toHaveLength(1);
  });
  test("hands out a PKGBUILD that knows its archives", async () => {
    const recipe = await inFirst("PKGBUILD");
    for (const line of (await inFirst("SHA256SUMS")).split("\n").filter((one) => one.endsWith(".tar.xz")))
      expect(recipe).toContain(`(${line.split(" ")[0]})`);
  });
});

describe("scripts/release replaces nothing that it has not made", () => {
  const refused = async (target: string) => {
    const { exitCode, stderr } = await release(["--snapshot", "--quick", target]);
    expect(exitCode).toBe(73);
    return stderr;
  };
  test("such as a folder with a file of somebody's", async () => {
    const home = join(folder, "home");
    await mkdir(home);
    await writeFile(join(home, "letter.txt"), "dear\n");
    expect(await refused(home)).toContain("letter.txt");
    expect(await readdir(home)).toEqual(["letter.txt"]);
    await rm(home, { recursive: true });
  });
  test("such as a release with a file that was changed, or with one more", async () => {
    const old = join(folder, "old");
    await mkdir(old);
    for (const name of ["NOTES.md", "install", "SHA256SUMS"]) await cp(join(first, name), join(old, name));
    await writeFile(join(old, "NOTES.md"), "my own words\n");
    expect(await refused(old)).toContain("NOTES.md");
    await cp(join(first, "NOTES.md"), join(old, "NOTES.md"));
    await writeFile(join(old, "berry-of-mine.tar.xz"), "mine\n");
    expect(await refused(old)).toContain("berry-of-mine.tar.xz");
    expect(await readFile(join(old, "berry-of-mine.tar.xz"), "utf8")).toBe("mine\n");
    await rm(old, { recursive: true });
  });
  test("such as a file, or what is in the way of its work", async () => {
    const file = join(folder, "file");
    await writeFile(file, "mine\n");
    expect(await refused(file)).toContain("is no folder");
    await rm(file);
    await mkdir(join(folder, "mine"));
    await writeFile(join(folder, "mine/file"), "mine\n");
    await symlink("mine", join(folder, ".new.partial"));
    expect(await refused(join(folder, "new"))).toContain("is in the way");
    expect(await readdir(join(folder, "mine"))).toEqual(["file"]);
    await rm(join(folder, ".new.partial"));
    await rm(join(folder, "mine"), { recursive: true });
  });
});

describe("scripts/release refuses a tree", () => {
  let tree = "";
  const git = (...words: readonly string[]) =>
    mustRun(
      ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", ...words],
      { cwd: tree },
      signal(),
    );
  beforeAll(async () => {
    tree = join(folder, "tree");
    await mkdir(tree);
    for (const part of ["scripts", "pkgbuild", "package.json", "CHANGELOG.md"])
      await cp(join(house, part), join(tree, part), { recursive: true });
    await git("init", "--quiet");
    await git("add", ".");
    await git("commit", "--quiet", "--message", "all");
  });
  afterAll(() => rm(tree, { recursive: true }));

  test.each([
    ["with changes", "notes.txt", "text\n", "the tree has changes"],
    ["whose package has another version", "pkgbuild/PKGBUILD", "pkgver=0.0.1\n", "pkgbuild/PKGBUILD 0.0.1"],
    ["that says nothing of the version", "CHANGELOG.md", "## 0.0.1\n\n- nothing\n", "has no section"],
  ])("%s", async (_, path, content, message) => {
    await writeFile(join(tree, path), content);
    if (path !== "notes.txt") await git("commit", "--quiet", "--all", "--message", "changed");
    const { exitCode, stderr } = await release([join(folder, "never")], tree);
    expect([exitCode, stderr]).toEqual([65, expect.stringContaining(message)]);
    if (path === "notes.txt") await rm(join(tree, path));
    else await git("revert", "--no-edit", "HEAD");
    expect(await readdir(folder)).not.toContain("never");
  });
});

describe("the package, by the real pacman in a root for arm64", () => {
  let fixture: ArchFixture;
  let older = "";
  let told = "";
  const part = (name: string) => told.split(`=== ${name}\n`)[1]?.split("\n=== ")[0] ?? "";
  beforeAll(async () => {
    fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
    const scratch = await mkdtemp(join(folder, "older-"));
    await chmod(scratch, 0o755);
    const built = await makePackages(
      [
        {
          name: "berry",
          version: "0.0.9-1",
          description: "the one before",
          backup: ["etc/berry/fand.toml"],
          files: {
            "usr/bin/berry": { content: "#!/bin/sh\n", mode: 0o755 },
            "usr/share/berry/gone": "no more\n",
            "etc/berry/fand.toml": "# older defaults\n",
          },
        },
      ],
      scratch,
      join(folder, "older"),
      signal(),
    );
    older = built[0] ?? "";
    const user = await ordinaryUser(signal());
    const { stdout, stderr, exitCode } = await inEmulatedRoot(
      user,
      fixture.tarball,
      `. ${resolve(import.meta.dir, "../../fixtures/pacman-host.sh")}
sed -i 's/^LocalFileSigLevel.*/LocalFileSigLevel = Optional/' "$W/pacman.conf"
files() { (cd "$R" && find etc usr | grep berry | grep -v berry-odd | sort) || true; }
echo "=== install"; host_pacman -U "${packageOf("aarch64")}"
echo "=== files"; files
echo "=== check"; host_pacman -Qkk berry
echo "=== run"; chroot "$R" berry --version; chroot "$R" berry fand check --file-only /etc/berry/fand.toml
echo "=== units"; systemd-analyze verify --root="$R" --man=no --generators=no $(cd "$R/usr/lib/systemd/system" && echo berry-*.service) 2>&1 && echo verified
systemctl --root="$R" enable berry-fand.service 2>&1
printf '#!/bin/sh\necho "asked: $*"\n[ "$1" != disable ] || rm -f /etc/systemd/system/*.wants/"$3"\n' >"$R/usr/bin/systemctl"
chmod 755 "$R/usr/bin/systemctl"
mkdir -p "$R/etc/avahi/services"
chroot "$R" berry probe announce >&2
echo "=== remove"; host_pacman -R berry; files
echo "=== older"; host_pacman -U "${older}"
printf 'pin = 13\\n' >"$R/etc/berry/fand.toml"
echo "=== upgrade"; host_pacman -U "${packageOf("aarch64")}"
echo "=== kept"; cat "$R/etc/berry/fand.toml"; files
echo "<service-group/>" >"$R/etc/avahi/services/berry.service"
echo "=== removed"; host_pacman -R berry
echo "=== left"; files
echo "=== end"`,
      { MIRROR: "http://127.0.0.1:9/$repo" },
      signal(),
    );
    told = stdout;
    if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
  }, patience);

  test("is installed with all its files, says what to do next, and runs", () => {
    expect(part("install")).toContain("berry fand doctor");
    expect(part("install")).not.toMatch(/^error|failed/m);
    expect(part("files")).toContain("usr/lib/systemd/system/berry-fand.service\n");
    expect(part("check")).toMatch(/berry: \d+ total files, 0 altered files/);
    expect(part("run")).toContain(`berry ${version} (commit `);
  });
  test("brings units that systemd has nothing against, and that can be enabled", () => {
    expect(part("units")).toContain("verified\n");
    expect(part("units")).toMatch(/Created symlink .*multi-user\.target\.wants\/berry-fand\.service/);
  });
  test("upgrades an older one and leaves a configuration that was changed", () => {
    expect(part("upgrade")).toContain("/etc/berry/fand.toml installed as ");
    expect(part("kept")).toStartWith("pin = 13\n");
    expect(part("kept")).toContain("etc/berry/fand.toml.pacnew\n");
    expect(part("kept")).not.toContain("usr/share/berry/gone");
    expect(part("upgrade")).not.toMatch(/^error|failed/m);
  });
  test("starts and stops nothing where systemd does not run, and leaves nothing when it is removed but what was changed", () => {
    expect(part("remove")).toContain(
      "asked: disable --quiet berry-fand.service berry-announce.service berry-targets.service",
    );
    expect(told).not.toMatch(/^asked: (stop|try-restart)/m);
    expect(part("remove")).not.toMatch(/^(etc|usr)/m);
    expect(part("removed")).toContain("saved as ");
    expect(part("left").trimEnd().split("\n")).toEqual([
      // without berry's mark
      "etc/avahi/services/berry.service",
      "etc/berry",
      "etc/berry/fand.toml.pacnew",
      "etc/berry/fand.toml.pacsave",
    ]);
  });
});
