import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PackageRecipe } from "../fixtures/arch-package.ts";
import { updateRepository } from "../fixtures/arch-update.ts";
import { type ArchFixture, makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { parseLock } from "../../src/imager/lock/parse-lock.ts";

const patience = 180_000;
const signal = () => AbortSignal.timeout(patience);

let fixture: ArchFixture;
let bakery: Bakery;
let updates: string;

const place = (...path: readonly string[]): string => join(bakery.folder, ...path);
const lockText = () => readFile(place("berry.lock"), "utf8");
const listOf = async (node: string) =>
  JSON.parse(await readFile(place("images", `${node}.cdx.json`), "utf8"));

beforeAll(async () => {
  fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  updates = await mkdtemp(join(tmpdir(), "berry-updates-"));
  await chmod(updates, 0o755);
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  await bakery.write("script.sh", "#!/bin/sh\npacman -R --noconfirm htop\n", 0o755);
  await bakery.write(
    "berry.toml",
    clusterText({
      image: 'packages = ["vim"]',
      nodes: [
        'name = "pi1"',
        'name = "pi2"\nimage = { packages = ["vim", "htop"], script = "script.sh" }',
        'name = "pi3"\nimage = { packages = ["vim", "iw"] }',
      ],
    }),
  );
}, 700_000);

afterAll(async () => {
  await bakery?.[Symbol.asyncDispose]();
  if (updates !== undefined) await rm(updates, { recursive: true });
});

async function bake(words: readonly string[] = []): Promise<BakeRun> {
  const run = await bakery.bake(words);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  return run;
}

function baked({ events }: BakeRun): string[] {
  // nodes are baked at the same time
  return [...new Set(events.flatMap((event) => (event.event === "started" ? [event.layer] : [])))].toSorted();
}

/** What a bake that failed said: message and hint. */
function complaint({ events }: BakeRun): string {
  return events
    .flatMap((event) => (event.event === "failed" ? [`${event.message}\nhint: ${event.hint}`] : []))
    .join();
}

/** As long as `use` runs, the lock has this text; null: there is none. */
async function withLock(text: string | null, use: () => Promise<void>): Promise<void> {
  const before = await lockText();
  if (text === null) await rm(place("berry.lock"));
  else await writeFile(place("berry.lock"), text);
  try {
    await use();
  } finally {
    await writeFile(place("berry.lock"), before);
  }
}

/** NAME VERSION of what pacman's database in the image has, by the names of its folders. */
async function installed(node: string): Promise<string[]> {
  const image = await openImage(place("images", `${node}.img`), signal());
  const entries = (await image.root())
    .map(({ path }) => /^\/var\/lib\/pacman\/local\/([^/]+)-([^-/]+-[^-/]+)$/.exec(path))
    .flatMap((match) => (match === null ? [] : [`${match[1]} ${match[2]}`]));
  return entries.toSorted();
}

const vim = (version: string): PackageRecipe => ({
  name: "vim",
  version,
  description: "Vi Improved",
  files: { "usr/bin/vim": { content: `#!/bin/bash\necho vim ${version}\n`, mode: 0o755 } },
});

describe("berry.lock", () => {
  test(
    "lists exactly the packages that each image has, with the digests of their files",
    async () => {
      await bake();
      const lock = parseLock("berry.lock", await lockText());
      expect(Object.keys(lock)).toEqual(["pi1", "pi2", "pi3"]);
      for (const node of ["pi1", "pi2", "pi3"]) {
        const packages = (lock[node]?.packages ?? []).filter(({ removed }) => !removed);
        expect(packages.map(({ name, version }) => `${name} ${version}`).toSorted()).toEqual(
          await installed(node),
        );
        expect(packages.filter(({ origin, sha256 }) => (origin === "mirror") !== (sha256 !== null))).toEqual(
          [],
        );
        expect(packages.filter(({ origin }) => origin === "rootfs").length).toBeGreaterThan(3);
      }
    },
    patience,
  );

  test(
    "keeps apart what images do not share, and tells what they share once",
    async () => {
      const lines = (await lockText()).trimEnd().split("\n");
      const named = (name: string) => lines.filter((line) => line.startsWith(`{"package":"${name}"`));
      expect(named("vim")).toHaveLength(1);
      expect(named("vim").join()).not.toContain("nodes");
      expect(JSON.parse(named("htop").join())).toMatchObject({ removed: true, nodes: ["pi2"] });
      expect(lines.filter((line) => line.startsWith('{"rootfs"'))).toEqual([
        JSON.stringify({
          rootfs: bakery.server.tarballUrl,
          sha256: new Bun.CryptoHasher("sha256").update(await readFile(fixture.tarball)).digest("hex"),
          signing_key: fixture.builder.fingerprint,
        }),
      ]);
      expect(lines.filter((line) => line.startsWith('{"berry"'))).toEqual([
        JSON.stringify({
          berry: "/usr/bin/berry",
          sha256: new Bun.CryptoHasher("sha256").update(await readFile(bakery.berry.forImages)).digest("hex"),
        }),
      ]);
    },
    patience,
  );

  test(
    "is left as it is by a bake from the cache, and by a bake of some of the nodes",
    async () => {
      const [before, { mtimeMs, ino }] = [await lockText(), await stat(place("berry.lock"))];
      const run = await bake();
      expect(baked(run)).toEqual(["pi1", "pi2", "pi3"]);
      expect(await lockText()).toBe(before);
      expect(await stat(place("berry.lock"))).toMatchObject({ mtimeMs, ino });
      await rm(place("berry.lock"));
      await bake();
      expect(await lockText()).toBe(before);
      await bake(["pi2"]);
      expect(await lockText()).toBe(before);
    },
    patience,
  );

  test(
    "is kept by --locked from an empty cache, as long as the mirror gives the same",
    async () => {
      const before = await lockText();
      const run = await bakery.bake(["--locked"], { cache: place("other-cache") });
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(baked(run)).toContain("rootfs");
      expect(await lockText()).toBe(before);
    },
    patience,
  );

  test.each([
    [
      "another digest",
      /("package":"vim".*"sha256":")[0-9a-f]{8}/,
      "$100000000",
      /vim \(aarch64\): locked .* \(sha256 00000000/,
    ],
    [
      "another version",
      /("package":"vim","version":")[^"]*/,
      "$10.1-1",
      /vim \(aarch64\): locked 0\.1-1, found 9\.1\.0-1/,
    ],
    ["another tarball", /("rootfs":.*"sha256":")[0-9a-f]{8}/, "$100000000", /rootfs: locked sha256 00000000/],
    ["another berry", /("berry":.*"sha256":")[0-9a-f]{8}/, "$100000000", /berry: locked sha256 00000000/],
    ["one package less", /\{"package":"iw".*\n/, "", /iw: not in the lock, found 1\.0-1/],
    [
      "one package more",
      /\{"package":"vim"/,
      '{"package":"zlib-of-old","version":"1-1","architecture":"any","source":"rootfs"}\n$&',
      /zlib-of-old: locked 1-1, not found/,
    ],
  ])(
    "that was edited to have %s is refused by name, and nothing is touched",
    async (_what, pattern, replacement, expected) => {
      const edited = (await lockText()).replace(pattern, replacement);
      expect(edited).not.toBe(await lockText());
      const images = await stat(place("images/pi1.img"));
      const list = await readFile(place("images/pi1.cdx.json"));
      await withLock(edited, async () => {
        const run = await bakery.bake(["--locked", "pi1"]);
        expect(run.exitCode).not.toBe(0);
        expect(complaint(run)).toMatch(expected);
        expect(await lockText()).toBe(edited);
      });
      expect(await stat(place("images/pi1.img"))).toMatchObject({ mtimeMs: images.mtimeMs, ino: images.ino });
      expect(await readFile(place("images/pi1.cdx.json"))).toEqual(list);
      // what was distrusted for the edited lock is still there
      expect(baked(await bake(["--locked", "pi1"]))).toEqual(["pi1"]);
    },
    patience,
  );

  test(
    "that is damaged is an error with its line, with and without --locked, before anything is done",
    async () => {
      const lines = (await lockText()).split("\n");
      await withLock(lines.with(4, '{"package":"x"').join("\n"), async () => {
        for (const words of [["--locked"], []]) {
          const run = await bakery.bake(words);
          expect(run.exitCode).toBe(78);
          expect(complaint(run)).toContain("berry.lock: line 5: not JSON");
          expect(baked(run)).toEqual([]);
        }
      });
      await withLock(null, async () => {
        const run = await bakery.bake(["--locked"]);
        expect(run.exitCode).toBe(66);
        expect(complaint(run)).toMatch(
          /berry\.lock: no such file, and --locked asks for it\nhint: bake once without/,
        );
      });
    },
    patience,
  );
});

describe("a software list", () => {
  test(
    "names the node, its system, berry, and every package with its digest",
    async () => {
      const list = await listOf("pi1");
      expect(list).toMatchObject({
        bomFormat: "CycloneDX",
        specVersion: "1.6",
        metadata: { component: { name: "pi1" } },
      });
      const packages = list.components.filter(({ purl }: { purl?: string }) => purl !== undefined);
      expect(
        packages.map(({ name, version }: Record<string, string>) => `${name} ${version}`).toSorted(),
      ).toEqual(await installed("pi1"));
      const lock = parseLock("berry.lock", await lockText());
      const locked = lock["pi1"]?.packages.find(({ name }) => name === "vim");
      const [component] = packages.filter(({ name }: Record<string, string>) => name === "vim");
      expect(component).toMatchObject({
        version: "9.1.0-1",
        hashes: [{ alg: "SHA-256", content: locked?.sha256 ?? "" }],
        licenses: [{ license: { name: "custom" } }],
      });
      const text = JSON.stringify(list);
      for (const secret of [bakery.folder, "Korrekt-Pferd", "password"]) expect(text).not.toContain(secret);
    },
    patience,
  );

  test(
    "is named by the image's event, and is the same after the next bake",
    async () => {
      const before = await readFile(place("images/pi1.cdx.json"));
      const run = await bake(["pi1"]);
      expect(run.events.find(({ event }) => event === "image")).toMatchObject({
        softwareList: place("images/pi1.cdx.json"),
      });
      expect(await readFile(place("images/pi1.cdx.json"))).toEqual(before);
      expect((await readdir(place("images"))).filter((name) => name.startsWith("."))).toEqual([]);
    },
    patience,
  );
});

describe("a mirror that has moved on", () => {
  test(
    "is refused by --locked by name, before anything is unpacked; image and lock stay",
    async () => {
      await bake();
      const serve = await updateRepository(
        fixture,
        "extra",
        vim("9.1.1-1"),
        join(updates, "newer"),
        signal(),
      );
      serve(bakery.server);
      const [before, image] = [await lockText(), await stat(place("images/pi1.img"))];
      // what is in the cache fits, and is used
      expect(baked(await bake(["--locked", "pi3"]))).toEqual(["pi3"]);
      const run = await bakery.bake(["--locked", "pi1"], { cache: place("empty-cache") });
      expect(run.exitCode).toBe(69);
      expect(complaint(run)).toContain("vim (aarch64): locked 9.1.0-1, found 9.1.1-1");
      const titles = run.events.flatMap((event) => (event.event === "started" ? [event.title] : []));
      expect(titles).not.toContain("install vim");
      // today's packages would replace layers that fit
      expect((await bakery.bake(["--locked", "--refresh", "pi1"])).exitCode).toBe(64);
      expect(bakery.server.requests.filter(({ path }) => path.includes("vim-9.1.1"))).toEqual([]);
      expect(await lockText()).toBe(before);
      expect(await stat(place("images/pi1.img"))).toMatchObject({ ino: image.ino });
      // and is still good afterwards
      expect(baked(await bake(["--locked", "pi1"]))).toEqual(["pi1"]);
    },
    patience,
  );

  test(
    "is taken without --locked, for the nodes that are baked",
    async () => {
      await bake(["--refresh", "pi1"]);
      const lock = parseLock("berry.lock", await lockText());
      const versions = Object.values(lock).map(
        ({ packages }) => packages.find(({ name }) => name === "vim")?.version ?? "",
      );
      expect(versions).toEqual(["9.1.1-1", "9.1.0-1", "9.1.0-1"]);
      expect((await installed("pi1")).filter((name) => name.startsWith("vim"))).toEqual(["vim 9.1.1-1"]);
      expect((await listOf("pi1")).components).toContainEqual(
        expect.objectContaining({ name: "vim", version: "9.1.1-1" }),
      );
      expect(baked(await bake(["--locked", "pi1"]))).toEqual(["pi1"]);
    },
    patience,
  );

  test(
    "that gives other bytes under the same version is refused, too",
    async () => {
      const rebuilt = { ...vim("9.1.1-1"), description: "rebuilt without a word" };
      const serve = await updateRepository(fixture, "extra", rebuilt, join(updates, "rebuilt"), signal());
      serve(bakery.server);
      const run = await bakery.bake(["--locked", "pi1"], { cache: place("third-cache") });
      expect(run.exitCode).toBe(65);
      expect(complaint(run)).toMatch(
        /vim \(aarch64\): locked 9\.1\.1-1 \(sha256 .*…\), found 9\.1\.1-1 \(sha256/,
      );
    },
    patience,
  );
});
