import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePackages } from "../fixtures/arch-package.ts";
import { type ArchFixture, makeArchFixture, tarballName } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, openBakery } from "../fixtures/bakery.ts";
import { cacheState } from "../fixtures/cache-state.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { openSigner, signDetached } from "../fixtures/gnupg-key.ts";
import { mustRun } from "../fixtures/run.ts";
import { parseLock } from "../../src/imager/lock/parse-lock.ts";

const patience = 180_000;
const signal = () => AbortSignal.timeout(patience);
/** berry looks there whatever PATH says: on Arch it is where everything is. */
const cannotHide = existsSync("/usr/sbin/pacman");

let fixture: ArchFixture;
let bakery: Bakery;
let withoutPacman: string;

beforeAll(async () => {
  fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  withoutPacman = join(bakery.folder, "bin");
  await mkdir(withoutPacman);
  const linked = new Set(["pacman"]);
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (linked.has(name)) continue;
      linked.add(name);
      await symlink(join(folder, name), join(withoutPacman, name));
    }
  }
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

describe.skipIf(cannotHide)("on a machine without pacman", () => {
  test(
    "the image's own does the work under emulation, with the same result",
    async () => {
      await bakery.write("berry.toml", clusterText({ image: 'packages = ["vim"]' }));
      const run = await bakery.bake(["--verbose"], { env: { PATH: withoutPacman } });
      expect(run.exitCode === 0 ? "" : run.stdout).toBe("");
      const baked = run.events.at(-1);
      expect(baked?.event === "baked" && baked.emulatedSeconds > 0).toBe(true);
      const image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
      expect(await image.complaints()).toEqual([]);
      const paths = (await image.root()).map(({ path }) => path);
      const installed = paths.flatMap(
        (path) => /^\/var\/lib\/pacman\/local\/(.+)-[^-]+-[^-/]+$/.exec(path)?.[1] ?? [],
      );
      for (const name of ["linux-rpi", "sudo", "avahi", "vim"]) expect(installed).toContain(name);
      for (const name of ["linux-aarch64", "uboot-raspberrypi"]) expect(installed).not.toContain(name);
      expect(await image.text("/usr/bin/vim")).toContain("vim of the test");
      expect(await image.text("/var/log/berry-scriptlets")).toContain("linux-rpi post_install on aarch64\n");
      for (const gone of [
        /^\/etc\/pacman\.d\/gnupg/,
        /^\/var\/cache\/pacman\/pkg\/./,
        /^\/var\/lib\/pacman\/sync\/./,
        /^\/(?:run|tmp)\/./,
        /\/db\.lck$/,
      ])
        expect(paths.filter((path) => gone.test(path))).toEqual([]);
      expect(await image.text("/etc/pacman.conf")).toContain("[core]\nInclude = /etc/pacman.d/mirrorlist");
    },
    patience,
  );

  test(
    "notes what it installed, and keeps to that with --locked",
    async () => {
      const lockFile = join(bakery.folder, "berry.lock");
      const before = await readFile(lockFile, "utf8");
      const packages = parseLock(lockFile, before)["pi1"]?.packages ?? [];
      expect(packages.find(({ name }) => name === "vim")?.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(packages.filter(({ origin, sha256 }) => (origin === "mirror") !== (sha256 !== null))).toEqual(
        [],
      );
      const options = { env: { PATH: withoutPacman }, cache: join(bakery.folder, "cache-locked") };
      const run = await bakery.bake(["--locked"], options);
      expect(run.exitCode === 0 ? "" : run.stdout).toBe("");
      await writeFile(lockFile, before.replace(/("package":"vim".*"sha256":")[0-9a-f]{8}/, "$100000000"));
      const refused = await bakery.bake(["--locked"], options);
      expect(refused.exitCode).toBe(65);
      expect(refused.stdout).toContain("vim (aarch64): locked 9.1.0-1 (sha256 00000000");
      await writeFile(lockFile, before);
    },
    patience,
  );

  test(
    "berry's own package is installed by the image's own, too",
    async () => {
      const scratch = await mkdtemp(join(tmpdir(), "berry-package-"));
      await chmod(scratch, 0o755);
      const [built = ""] = await makePackages(
        [
          {
            name: "berry",
            version: "1.2.3-1",
            description: "a berry of the test",
            depends: ["glibc"],
            files: {
              "usr/bin/berry": { content: "#!/bin/sh\n", mode: 0o755 },
              "usr/lib/systemd/system/berry-fand.service": "[Install]\nWantedBy=multi-user.target\n",
              "usr/lib/systemd/system/berry-announce.service": "[Install]\nWantedBy=multi-user.target\n",
            },
          },
        ],
        scratch,
        scratch,
        signal(),
      );
      const run = await bakery.bake(["--berry", built], { env: { PATH: withoutPacman } });
      await rm(scratch, { recursive: true });
      expect(run.exitCode === 0 ? "" : run.stdout).toBe("");
      const image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
      expect(await image.text("/var/lib/pacman/local/berry-1.2.3-1/desc")).toContain("%NAME%\nberry\n");
      const lock = parseLock("berry.lock", await readFile(join(bakery.folder, "berry.lock"), "utf8"));
      const locked = lock["pi1"]?.packages.find(({ name }) => name === "berry");
      expect(locked).toMatchObject({ version: "1.2.3-1", origin: "file", sha256: expect.any(String) });
    },
    patience,
  );

  test(
    "a package by a revoked key is refused by the image's own, too",
    async () => {
      await bakery.write("berry.toml", clusterText({ image: 'packages = ["berry-strange"]' }));
      const run = await bakery.bake([], { env: { PATH: withoutPacman } });
      expect(run.exitCode).toBe(65);
      expect(run.events.at(-1)).toMatchObject({ event: "failed", kind: "bad-data" });
    },
    patience,
  );

  test(
    "an image without pacman is refused, with what to install",
    async () => {
      const tarball = join(bakery.folder, tarballName);
      await mustRun(
        [
          "bsdtar",
          "--create",
          "--gzip",
          "--options=gzip:compression-level=1",
          "--file",
          tarball,
          "--exclude=usr/bin/pacman",
          "--exclude=./usr/bin/pacman",
          `@${fixture.tarball}`,
        ],
        {},
        signal(),
      );
      await chmod(tarball, 0o644);
      await using signer = await openSigner(fixture.builder, signal());
      await signDetached(signer, tarball);
      bakery.server.fault = (path) =>
        path === `/os/${tarballName}`
          ? { kind: "replace", file: tarball }
          : path === `/os/${tarballName}.sig`
            ? { kind: "replace", file: `${tarball}.sig` }
            : null;
      await bakery.write("berry.toml", clusterText());
      const cache = join(bakery.folder, "cache-bare");
      const run = await bakery.bake([], { env: { PATH: withoutPacman }, cache });
      expect(run.exitCode).toBe(69);
      const last = run.events.at(-1);
      expect(last).toMatchObject({
        event: "failed",
        kind: "unavailable",
        message: "the image has no program pacman",
      });
      expect(last?.event === "failed" && last.hint).toContain("pacman-package-manager");
      expect(await cacheState({ folder: bakery.folder, cache })).toMatchObject({
        halfLayers: [],
        unfinished: [],
      });
    },
    patience,
  );
});
