import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { type BakedImage, openImage } from "../fixtures/baked-image.ts";
import { type Bakery, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { compareTrees } from "../fixtures/tree-entry.ts";

const patience = 300_000;
const signal = () => AbortSignal.timeout(patience);
const secrets = { password: "Korrekt-Pferd-Batterie-7", passphrase: "Heftklammer-Erdbeere-42" };

let bakery: Bakery;
let script: string;
let scriptCache: string;
const images: Record<string, BakedImage> = {};

async function plan(words: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const argv = [bakery.berry.path, "imager", "plan", "--file", join(bakery.folder, "plan.toml"), ...words];
  return await bakery.user.run(argv, {}, signal());
}

beforeAll(async () => {
  const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal(), "it's a $(cluster), twice");
  scriptCache = join(bakery.folder, "cache of the script");
  await bakery.write("password", `${secrets.password}\n`, 0o600);
  await bakery.write("wifi", `${secrets.passphrase}\n`, 0o600);
  await bakery.write("token", "for root alone\n", 0o600);
  await bakery.write("script.sh", "#!/bin/sh\nuname -m >/etc/made-on\n", 0o755);
  const text = (output: string): string =>
    clusterText({
      image: `output = "${output}"
packages = ["vim", "htop"]
script = "script.sh"
config_txt = ["dtparam=spi=on"]
files = [{ source = "token", path = "/etc/token", mode = "0600", secret = true }]`,
      tables: `[wifi]
ssid = "Erdbeerfeld"
psk_file = "wifi"
security = "wpa3"
store_passphrase = true
country = "DE"`,
    });
  await bakery.write("berry.toml", text("baked"));
  await bakery.write("plan.toml", text("scripted"));
  const { exitCode, stdout, stderr } = await plan(["--cache-dir", scriptCache]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  script = stdout;
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

describe("berry imager plan", () => {
  test("touches nothing", async () => {
    expect(
      (await readdir(bakery.folder)).filter((name) => name.includes("cache") || name === "scripted"),
    ).toEqual([]);
  });
  test("shows no secret, neither as a script nor as JSON", async () => {
    const { stdout } = await plan(["--json", "--cache-dir", scriptCache]);
    expect(JSON.parse(stdout)).toMatchObject({ cacheDirectory: scriptCache, nodes: [{ node: "pi1" }] });
    for (const secret of Object.values(secrets)) {
      expect(script).not.toContain(secret);
      expect(stdout).not.toContain(secret);
    }
  });
  test(
    "prints a script that makes the image that berry bakes",
    async () => {
      const run = await bakery.bake([]);
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ exitCode: 0 });
      const file = await bakery.write("plan.sh", script);
      const { exitCode, stdout, stderr } = await bakery.user.run(["bash", file], {}, signal());
      if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
      expect(stdout + stderr).not.toContain(secrets.password);
      for (const folder of ["baked", "scripted"])
        images[folder] = await openImage(join(bakery.folder, folder, "pi1.img"), signal());
      const { baked, scripted } = images;
      if (baked === undefined || scripted === undefined) throw new Error("an image is missing");
      expect(await scripted.complaints()).toEqual([]);
      expect(scripted.diskSignature).toBe(baked.diskSignature);
      expect(scripted.bootVolumeId).toBe(baked.bootVolumeId);
      expect(scripted.rootUuid).toBe(baked.rootUuid);
      expect(scripted.partitions).toEqual(baked.partitions);
      expect(await scripted.bootPaths()).toEqual(await baked.bootPaths());
      expect(await scripted.bootText("cmdline.txt")).toBe(await baked.bootText("cmdline.txt"));
      expect(await scripted.text("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf")).toContain(
        `sae_password="${secrets.passphrase}"`,
      );
      // a password's salt, pacman's dates and ldconfig's inode numbers differ from bake to bake
      const except = ["/etc/shadow", "/etc/shadow-", "/var/lib/pacman/local", "/var/cache/ldconfig"];
      expect(compareTrees(await baked.root(), await scripted.root(), { except, ignoreTimes: "*" })).toEqual(
        [],
      );
    },
    patience,
  );
  test(
    "makes layers that berry takes from its cache",
    async () => {
      const { stdout } = await plan(["--cache-dir", scriptCache]);
      const cached = [...stdout.matchAll(/^# in the cache: (\w+)-/gm)].map(([, name]) => name);
      expect(cached).toEqual(["rootfs", "system", "packages", "image"]);
    },
    patience,
  );
  test(
    "notes in them which packages they have, as berry does",
    async () => {
      const words = ["--file", join(bakery.folder, "plan.toml")];
      const run = await bakery.bake(words, { cache: scriptCache });
      expect(run.events.filter(({ event }) => event === "cached")).toHaveLength(4);
      const [baked, scripted] = await Promise.all(
        ["berry.lock", "plan.lock"].map((name) => readFile(join(bakery.folder, name), "utf8")),
      );
      expect(scripted).toBe(baked ?? "");
    },
    patience,
  );
});
