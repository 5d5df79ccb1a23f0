import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstat, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { dataExtents } from "../../src/imager/source/open-holes.ts";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type BakeOptions, type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { otherE2fsprogs } from "../fixtures/other-e2fsprogs.ts";
import { mustRun } from "../fixtures/run.ts";

const patience = 300_000;
const signal = () => AbortSignal.timeout(patience);
const isRoot = process.getuid?.() === 0;
const epoch = 1_700_000_000;
const env = { SOURCE_DATE_EPOCH: String(epoch) };
const nodes = ["pi1", "pi2"];
const image = `packages = ["vim", "htop"]
locale = "en_US.UTF-8"
services = ["sshd"]
config_txt = ["dtparam=spi=on"]
script = "script.sh"
files = [{ source = "token", path = "/etc/token", mode = "0600", secret = true }]`;
const passwordHash =
  "$6$berryfixture$XaSVLZr2z4Gcbbp9tuLJCir77lloYJsCuRAQJeAcGV2LhSqCEpG4waBmyxXp1Q1sjpTFssITy/Jj0tlnf6/.O0";

let bakery: Bakery;

beforeAll(async () => {
  const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", "Korrekt-Pferd-Batterie-7\n", 0o600);
  await bakery.write("token", "for root alone\n", 0o600);
  await bakery.write("script.sh", '#!/bin/sh\necho "$SOURCE_DATE_EPOCH" >/etc/made-at\n', 0o755);
  const user = `name = "chaney"\npassword_hash = "${passwordHash}"\ngroups = ["video", "gardeners"]`;
  const tables = nodes.map((name) => `name = "${name}"`);
  await bakery.write("berry.toml", clusterText({ image, user, nodes: tables }));
  await bakery.write("salted.toml", clusterText({}));
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

/** Bakes into a cache of its own, and puts the images aside under that name. */
async function bakeAside(name: string, options: BakeOptions): Promise<void> {
  const run = await bakery.bake([], { env, cache: join(bakery.folder, `cache of ${name}`), ...options });
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  expect(run.events.filter(({ event }) => event === "warned")).toEqual([]);
  expect(run.stderr).not.toContain("warning");
  await rename(join(bakery.folder, "images"), join(bakery.folder, name));
}

/** All that a bake leaves, images and what lies beside them, but for names like `except`. */
async function expectEqual(one: string, other: string, except = "none"): Promise<void> {
  const folders = [one, other].map((folder) => join(bakery.folder, folder));
  await mustRun(["diff", "--brief", "--recursive", `--exclude=${except}`, "--", ...folders], {}, signal());
  for (const node of nodes) {
    const [first, second] = folders.map((folder) => join(folder, `${node}.img`));
    expect(await dataOf(second ?? "")).toEqual(await dataOf(first ?? ""));
  }
}

async function dataOf(path: string) {
  await using file = await open(path, "r");
  return dataExtents(file.fd, (await file.stat()).size);
}

const withMask = ["sh", "-c", 'umask 077 && exec "$@"', "sh"];

describe("images of the same epoch", () => {
  test(
    "are the same, byte by byte and hole by hole, whoever bakes them in whatever cache",
    async () => {
      await bakeAside("first", {});
      // a second passes at least: nothing is the same by being made in the same one
      await bakeAside("second", { asRoot: isRoot, within: withMask });
      await expectEqual("first", "second");
    },
    patience,
  );
  test(
    "are those that the plan's script makes",
    async () => {
      const cache = join(bakery.folder, "cache of the script");
      const file = join(bakery.folder, "berry.toml");
      const argv = [bakery.berry.path, "imager", "plan", "--file", file, "--cache-dir", cache];
      const plan = await bakery.user.run(argv, { env }, signal());
      expect({ exitCode: plan.exitCode, stderr: plan.stderr }).toEqual({ exitCode: 0, stderr: "" });
      const script = await bakery.write("plan.sh", plan.stdout);
      const run = await bakery.user.run(
        ["bash", script],
        { env: { BERRY_PASSWORD_HASH: passwordHash } },
        signal(),
      );
      if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
      await rename(join(bakery.folder, "images"), join(bakery.folder, "scripted"));
      // the script lists no software
      await expectEqual("first", "scripted", "*.cdx.json");
    },
    patience,
  );
  test("have two clean file systems and nothing that is younger than the epoch", async () => {
    const baked = await openImage(join(bakery.folder, "first/pi1.img"), signal());
    expect(await baked.complaints()).toEqual([]);
    expect(await baked.text("/etc/made-at")).toBe(`${epoch}\n`);
    const young = (await baked.root()).filter((entry) => entry.mtime > epoch);
    expect(young.map(({ path }) => path)).toEqual([]);
  });
  // root alone can put a program in front of the host's own for the bake
  test.skipIf(!isRoot)(
    "are the same by another e2fsprogs, too",
    async () => {
      const programs = await otherE2fsprogs("trixie", signal());
      const within = ["unshare", "--mount", "--", "sh", "-c"];
      const bind = 'mount --bind "$1" /usr/local/sbin && shift && exec "$@"';
      const other: BakeOptions = { within: [...within, bind, "sh", programs] };
      await bakeAside("third", other);
      await bakeAside("fourth", { ...other, asRoot: true });
      await expectEqual("third", "fourth");
      const { size } = await lstat(join(bakery.folder, "third/pi1.img"));
      expect(size).toBe((await lstat(join(bakery.folder, "first/pi1.img"))).size);
    },
    patience,
  );
});

describe("SOURCE_DATE_EPOCH", () => {
  const bakeAt = async (seconds: string, words: readonly string[]): Promise<BakeRun> =>
    await bakery.bake(words, { env: { SOURCE_DATE_EPOCH: seconds } });
  test("in the future is a wrong use, and nothing is made", async () => {
    const run = await bakeAt("99999999999", []);
    expect(run.exitCode).toBe(64);
    expect(run.stderr + run.stdout).toContain("SOURCE_DATE_EPOCH lies in the future");
    expect(await lstat(bakery.cache).catch(() => null)).toBeNull();
  });
  test(
    "with a password from a file is told that its salt differs every time",
    async () => {
      const run = await bakeAt("1", ["--file", join(bakery.folder, "salted.toml")]);
      expect(run.exitCode).toBe(0);
      expect(run.stderr).toContain("password of pi1 a salt of its own");
      expect(run.stderr).toContain("password_hash");
    },
    patience,
  );
});
