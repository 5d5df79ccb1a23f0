import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, chown, copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePackages } from "../fixtures/arch-package.ts";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { type BakedImage, openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { parseLock } from "../../src/imager/lock/parse-lock.ts";

const patience = 300_000;
const signal = () => AbortSignal.timeout(patience);
const unit =
  "[Unit]\nDescription=the package's own\n[Service]\nExecStart=/usr/bin/berry\n[Install]\nWantedBy=multi-user.target\n";

let bakery: Bakery;
let scratch = "";
let run: BakeRun;
let image: BakedImage;

/** A package of a berry that says its version, for the ordinary user. */
async function packageOf(version: string): Promise<string> {
  const [built = ""] = await makePackages(
    [
      {
        name: "berry",
        version,
        description: "a berry of the test",
        depends: ["glibc"],
        backup: ["etc/berry/fand.toml"],
        install: 'post_install() {\n  echo "what to do next on $(uname -m)" >/var/lib/berry-scriptlet\n}\n',
        files: {
          "usr/bin/berry": { content: `#!/bin/sh\necho berry ${version}\n`, mode: 0o755 },
          "usr/lib/berry/fand-failsafe": { content: "#!/bin/sh\n# the package's own\n", mode: 0o755 },
          "usr/lib/systemd/system/berry-fand.service": unit,
          "usr/lib/systemd/system/berry-announce.service": unit,
          "etc/berry/fand.toml": "# the package's own\n",
        },
      },
    ],
    scratch,
    join(scratch, "packages"),
    signal(),
  );
  const path = join(bakery.folder, `renamed-${version}.pkg.tar.xz`);
  await copyFile(built, path);
  await chown(path, bakery.user.userId, bakery.user.groupId);
  return path;
}

beforeAll(async () => {
  const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  scratch = await mkdtemp(join(tmpdir(), "berry-package-"));
  await chmod(scratch, 0o755);
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  await bakery.write(
    "berry.toml",
    clusterText({ tables: "[fan]\npin = 18\n", nodes: ['name = "pi1"', 'name = "pi2"\nfan = false'] }),
  );
  run = await bakery.bake(["--berry", await packageOf("1.2.3-1")]);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
}, 700_000);

afterAll(async () => {
  await bakery?.[Symbol.asyncDispose]();
  if (scratch !== "") await rm(scratch, { recursive: true });
});

const read = (name: string) => readFile(join(bakery.folder, name), "utf8");

describe("an image whose berry came as a package", () => {
  test("has it installed as pacman installs any other: upgrades will find it", async () => {
    expect(await image.complaints()).toEqual([]);
    expect(await image.text("/var/lib/pacman/local/berry-1.2.3-1/desc")).toContain("%NAME%\nberry\n");
    expect(await image.text("/usr/bin/berry")).toBe("#!/bin/sh\necho berry 1.2.3-1\n");
    expect(await image.text("/var/lib/berry-scriptlet")).toBe("what to do next on aarch64\n");
  });
  test("has the unit and the script of the package, enabled, and nothing of its own over them", async () => {
    expect(await image.text("/usr/lib/systemd/system/berry-fand.service")).toBe(unit);
    expect(await image.text("/usr/lib/berry/fand-failsafe")).toContain("the package's own");
    const paths = (await image.root()).map(({ path }) => path);
    expect(paths).toContain("/etc/systemd/system/multi-user.target.wants/berry-fand.service");
    expect(paths.filter((path) => /\.pkg\.tar|^\/run\/./.test(path))).toEqual([]);
  });
  test("has each node's own fand.toml over the one of the package", async () => {
    expect(await image.text("/etc/berry/fand.toml")).toContain("pin = 18\n");
    const other = await openImage(join(bakery.folder, "images/pi2.img"), signal());
    expect(await other.text("/etc/berry/fand.toml")).toContain('backend = "none"\n');
  });
  test("is told of by its lists with the package, its version and its digest", async () => {
    const sha256 = new Bun.CryptoHasher("sha256")
      .update(await Bun.file(join(bakery.folder, "renamed-1.2.3-1.pkg.tar.xz")).bytes())
      .digest("hex");
    const locked = parseLock("berry.lock", await read("berry.lock"))["pi1"];
    expect(locked?.berrySha256).toBeNull();
    expect(locked?.packages.find(({ name }) => name === "berry")).toEqual({
      name: "berry",
      version: "1.2.3-1",
      architecture: "aarch64",
      origin: "file",
      sha256,
      removed: false,
    });
    const { components } = JSON.parse(await read("images/pi1.cdx.json")) as {
      components: { name: string }[];
    };
    expect(components.filter(({ name }) => name === "berry")).toEqual([
      expect.objectContaining({ version: "1.2.3-1", hashes: [{ alg: "SHA-256", content: sha256 }] }),
    ]);
  });
  test(
    "is baked again with --locked by the same package alone",
    async () => {
      const same = ["--locked", "--berry", join(bakery.folder, "renamed-1.2.3-1.pkg.tar.xz")];
      expect(await bakery.bake(same)).toMatchObject({ exitCode: 0 });
      const cache = join(bakery.folder, "cache-locked");
      const anew = await bakery.bake([...same, "pi1"], { cache });
      expect(anew.exitCode === 0 ? "" : anew.stdout).toBe("");
      await bakery.remove(cache);
      const other = await bakery.bake(["--locked", "--berry", await packageOf("1.2.4-1")]);
      expect(other.exitCode).not.toBe(0);
      expect(other.stdout).toContain("berry (aarch64): locked 1.2.3-1, found 1.2.4-1");
      const bare = await bakery.bake(["--locked"]);
      expect(bare.exitCode).not.toBe(0);
      expect(bare.stdout).toContain("berry: not in the lock");
    },
    patience,
  );
  test("is not what a target without pacman can have", async () => {
    const text = clusterText().replace("./archlinuxarm-rpi-aarch64.toml", "debian-arm64");
    const file = await bakery.write("debian.toml", text);
    const refused = await bakery.bake([
      "--file",
      file,
      "--berry",
      join(bakery.folder, "renamed-1.2.3-1.pkg.tar.xz"),
    ]);
    expect(refused.exitCode).toBe(64);
    expect(refused.stdout + refused.stderr).toContain("is a package for pacman");
  });
});
