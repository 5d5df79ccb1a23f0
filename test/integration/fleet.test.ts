import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { type BakedImage, openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { cacheState } from "../fixtures/cache-state.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { mustRun } from "../fixtures/run.ts";

const patience = 180_000;
const signal = () => AbortSignal.timeout(patience);

/** What a package's script, run on the machine that bakes, would give to every node alike. */
const decoys = [
  "/etc/ssh/ssh_host_ecdsa_key",
  "/etc/ssh/ssh_host_rsa_key",
  "/etc/ssh/ssh_host_rsa_key.pub",
  "/etc/machine-id",
  "/etc/pacman.d/gnupg/private-keys-v1.d/AABBCC.key",
  "/etc/pacman.d/gnupg/pubring.gpg",
  "/var/lib/dbus/machine-id",
  "/var/lib/systemd/credential.secret",
  "/var/lib/systemd/random-seed",
  "/var/log/journal/0123456789abcdef0123456789abcdef/system.journal",
];
const bootDecoy = "/boot/loader/random-seed";
const decoyText = "shared by all of them";

const names = ["pi1", "pi2", "pi3", "pi4", "pi5"];
let bakery: Bakery;
const images = new Map<string, BakedImage>();

const cluster = (nodes: readonly string[]): string =>
  clusterText({ image: 'script = "script.sh"', nodes: nodes.map((node) => `name = "${node}"`) });

async function bake(words: readonly string[] = []): Promise<BakeRun> {
  const run = await bakery.bake(words);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  for (const name of names)
    images.set(name, await openImage(join(bakery.folder, "images", `${name}.img`), signal()));
  return run;
}

beforeAll(async () => {
  bakery = await openBakery(await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000)), signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  const plant = [...decoys, bootDecoy].map(
    (path) => `mkdir -p "$(dirname ${path})"\nrm -f ${path}\necho "${decoyText}" >${path}\n`,
  );
  await bakery.write("script.sh", `#!/bin/sh\nset -e\n${plant.join("")}`, 0o755);
  await bakery.write("berry.toml", cluster(names));
  await bake();
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

const all = (): BakedImage[] => names.map((name) => image(name));
function image(name: string): BakedImage {
  const found = images.get(name);
  if (found === undefined) throw new Error(`no image of ${name}`);
  return found;
}
const hostKey = "/etc/ssh/ssh_host_ed25519_key";
const knownHosts = async (): Promise<string> =>
  await readFile(join(bakery.folder, "images/known_hosts"), "utf8");

/** The public half of a private key, as ssh-keygen derives it. */
async function publicKeyOf(privateKey: string): Promise<string> {
  const folder = await mkdtemp("/var/tmp/berry-key-");
  try {
    await writeFile(join(folder, "key"), privateKey, { mode: 0o600 });
    return await mustRun(["ssh-keygen", "-y", "-f", join(folder, "key")], {}, signal());
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("no two images of a fleet share", () => {
  test("a disk signature, or the id of a file system", async () => {
    for (const read of [
      (one: BakedImage) => one.diskSignature,
      (one: BakedImage) => one.bootVolumeId,
      (one: BakedImage) => one.rootUuid,
    ]) {
      const found = all().map(read);
      expect(new Set(found).size).toBe(names.length);
      expect(found).not.toContain("");
      expect(found).not.toContain("00000000");
    }
  });

  test("a host key: each has its own, whose halves belong together", async () => {
    const publicKeys = [];
    for (const { text } of all()) {
      const publicKey = await publicKeyOf((await text(hostKey)) ?? "");
      expect(await text(`${hostKey}.pub`)).toBe(publicKey);
      publicKeys.push(publicKey.split(" ")[1]);
    }
    expect(new Set(publicKeys).size).toBe(names.length);
  });

  test(
    "anything that a node makes for itself: machine-id, random seed, keys, journals",
    async () => {
      const digest = new Bun.CryptoHasher("sha256").update(`${decoyText}\n`).digest("hex");
      for (const one of all()) {
        const entries = await one.root();
        expect(entries.filter(({ sha256 }) => sha256 === digest).map(({ path }) => path)).toEqual([]);
        const paths = entries.map(({ path }) => path);
        expect(decoys.filter((path) => paths.includes(path))).toEqual(["/etc/machine-id"]);
        expect(await one.text("/etc/machine-id")).toBe("");
        expect(paths.filter((path) => /^\/(etc\/pacman\.d\/gnupg|var\/log\/journal)\/./.test(path))).toEqual(
          [],
        );
        expect((await one.bootPaths()).filter((path) => path.includes("random-seed"))).toEqual([]);
      }
    },
    patience,
  );

  test("a file that one alone may have, in any pair of them", async () => {
    for (const path of ["/etc/shadow", "/etc/fstab", "/etc/hostname", hostKey, `${hostKey}.pub`]) {
      const contents = await Promise.all(all().map(async ({ text }) => await text(path)));
      expect(contents).not.toContain(null);
      expect(new Set(contents).size).toBe(names.length);
    }
  });
});

describe("the nodes of a fleet", () => {
  test("are known to ssh by the keys in their images", async () => {
    const path = join(bakery.folder, "images/known_hosts");
    for (const name of names) {
      const key = ((await image(name).text(`${hostKey}.pub`)) ?? "").split(" ").slice(0, 2).join(" ");
      for (const host of [name, `${name}.local`])
        expect(await mustRun(["ssh-keygen", "-F", host, "-f", path], {}, signal())).toContain(
          `${name}.local ${key}\n`,
        );
    }
    expect((await stat(path)).uid).toBe(bakery.user.userId);
  });

  test(
    "keep their keys when they are baked again, with another password",
    async () => {
      const before = await Promise.all(all().map(async ({ text }) => await text(hostKey)));
      const known = await knownHosts();
      await bakery.write("password", "Batterie-8\n", 0o600);
      const run = await bake(["pi2", "pi4"]);
      expect(run.events.findLast(({ event }) => event === "known-hosts")).toEqual({
        event: "known-hosts",
        path: join(bakery.folder, "images/known_hosts"),
        nodes: 5,
      });
      expect(await Promise.all(all().map(async ({ text }) => await text(hostKey)))).toEqual(before);
      expect(await knownHosts()).toBe(known);
    },
    patience,
  );

  test(
    "are none of them half done when one of them cannot be baked",
    async () => {
      const files = '[{ source = "password", path = "/etc/token", owner = "stranger", secret = true }]';
      const text = cluster(names).replace('name = "pi2"\n', `name = "pi2"\nimage = { files = ${files} }\n`);
      await bakery.write("berry.toml", text);
      const known = await knownHosts();
      const run = await bakery.bake([]);
      expect(run.exitCode).toBe(78);
      expect(run.events.at(-1)).toMatchObject({ event: "failed", kind: "config" });
      expect(run.events.filter(({ event }) => event === "failed")).toHaveLength(1);
      expect(run.events.some((event) => event.event === "image" && event.node === "pi2")).toBe(false);
      expect(run.events).toContainEqual({ event: "undone", what: "removed the unfinished image of pi2" });
      const { unfinished, images: left } = await cacheState(bakery);
      expect([unfinished, left]).toEqual([[], names.map((name) => `${name}.img`)]);
      expect(await knownHosts()).toBe(known);
      for (const name of names)
        expect(
          await (await openImage(join(bakery.folder, "images", `${name}.img`), signal())).complaints(),
        ).toEqual([]);
    },
    patience,
  );

  test(
    "are forgotten when they leave the cluster; their keys stay for the day they come back",
    async () => {
      await bakery.write("berry.toml", cluster(["pi1", "pi2"]));
      const run = await bakery.bake(["pi1"]);
      expect(run.exitCode).toBe(0);
      expect((await knownHosts()).match(/^pi\d/gm)).toEqual(["pi1", "pi2"]);
      expect(
        (await stat(join(bakery.folder, "secret/host-keys/pi5/ssh_host_ed25519_key"))).mode & 0o777,
      ).toBe(0o600);
    },
    patience,
  );

  test(
    "make their keys on the first boot where berry.toml says so",
    async () => {
      const text = cluster(["pi1", "pi9"]).replace("[[node]]", "[ssh]\nhost_keys = false\n[[node]]");
      await bakery.write("berry.toml", text);
      const run = await bakery.bake(["pi9"]);
      expect(run.exitCode).toBe(0);
      expect(run.events.some(({ event }) => event === "known-hosts")).toBe(false);
      const { root } = await openImage(join(bakery.folder, "images/pi9.img"), signal());
      const paths = (await root()).map(({ path }) => path);
      expect(paths.filter((path) => path.startsWith("/etc/ssh/ssh_host_"))).toEqual([]);
      expect(paths).toContain("/usr/lib/systemd/system/berry-host-keys.service");
    },
    patience,
  );
});
