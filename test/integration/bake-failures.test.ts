import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmod, copyFile, lstat, mkdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type ArchFixture, makeArchFixture, tarballName } from "../fixtures/archlinuxarm.ts";
import { type Bakery, type BakeOptions, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { cacheState } from "../fixtures/cache-state.ts";
import { clusterText, type ClusterText } from "../fixtures/cluster-text.ts";
import { hostState } from "../fixtures/host-state.ts";
import { mustRun } from "../fixtures/run.ts";
import { openImage } from "../fixtures/baked-image.ts";

const patience = 120_000;
const signal = () => AbortSignal.timeout(patience);
const isRoot = process.getuid?.() === 0;

let fixture: ArchFixture;
let bakery: Bakery;
let earlier: string;
let untouched: unknown;

beforeAll(async () => {
  fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", "Korrekt-Pferd-7\n", 0o600);
  await bakery.write("fails.sh", "#!/bin/sh\necho the strawberries are out >&2\nexit 3\n", 0o755);
  await bakery.write("berry.toml", clusterText());
  const run = await bakery.bake([]);
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  earlier = await digest("pi1");
  untouched = await stateOf("pi1");
}, 700_000);

beforeEach(() => {
  bakery.server.fault = () => null;
});

afterAll(() => bakery?.[Symbol.asyncDispose]());

/** What changes with every write, and with another file in its place. */
async function stateOf(node: string): Promise<unknown> {
  const { ino, size, mtimeMs, ctimeMs } = await lstat(join(bakery.folder, "images", `${node}.img`));
  return { ino, size, mtimeMs, ctimeMs };
}

async function digest(node: string): Promise<string> {
  const bytes = Bun.file(join(bakery.folder, "images", `${node}.img`)).stream();
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest("hex");
}

/** Bakes what must fail; nothing of it may stay. */
async function fail(
  cluster: ClusterText,
  options: BakeOptions = {},
): Promise<{ run: BakeRun; message: string; hint: string; kind: string }> {
  await bakery.write("berry.toml", clusterText(cluster));
  const before = await hostState(bakery.user, signal());
  const run = await bakery.bake([], options);
  expect(await hostState(bakery.user, signal())).toEqual(before);
  const state = await cacheState({ folder: bakery.folder, cache: options.cache ?? bakery.cache });
  expect(state).toMatchObject({ halfLayers: [], unfinished: [], images: ["pi1.img"] });
  expect(await stateOf("pi1")).toEqual(untouched);
  const last = run.events.at(-1);
  if (last?.event !== "failed") throw new Error(`it did not fail:\n${run.stdout}\n${run.stderr}`);
  return { run, kind: last.kind, message: last.message, hint: last.hint ?? "" };
}

describe("a tarball", () => {
  const tarball = `/os/${tarballName}`;
  const fresh = async () => {
    const cache = join(bakery.folder, `cache-${crypto.randomUUID()}`);
    return { cache };
  };

  test(
    "signed by a stranger is refused",
    async () => {
      bakery.server.fault = (path) =>
        path === `${tarball}.sig` ? { kind: "replace", file: fixture.strangerSignature } : null;
      const { run, message, kind } = await fail({}, await fresh());
      expect([run.exitCode, kind]).toEqual([65, "bad-data"]);
      expect(message).toContain(fixture.builder.fingerprint);
    },
    patience,
  );

  test(
    "with one flipped bit is refused",
    async () => {
      bakery.server.fault = (path) => (path === tarball ? { kind: "flip", offset: 1_000_000 } : null);
      const { run, kind, message } = await fail({}, await fresh());
      expect([run.exitCode, kind]).toEqual([65, "bad-data"]);
      expect(message).toContain(tarballName);
    },
    patience,
  );

  test(
    "that is cut short is refused",
    async () => {
      const short = join(bakery.folder, "short.tar.gz");
      await copyFile(fixture.tarball, short);
      await truncate(short, 3_000_000);
      bakery.server.fault = (path) => (path === tarball ? { kind: "replace", file: short } : null);
      const { run, kind } = await fail({}, await fresh());
      expect([run.exitCode, kind]).toEqual([65, "bad-data"]);
    },
    patience,
  );

  test(
    "that is not there is named with its address",
    async () => {
      bakery.server.fault = (path) => (path === tarball ? { kind: "status", status: 404 } : null);
      const { run, kind, message } = await fail({}, await fresh());
      expect([run.exitCode, kind]).toEqual([66, "no-input"]);
      expect(message).toContain(bakery.server.tarballUrl);
    },
    patience,
  );
});

describe("a package", () => {
  test(
    "that no repository has is named, all of them at once",
    async () => {
      const { run, kind, message, hint } = await fail({
        image: 'packages = ["vim", "no-such-thing", "nor-this"]',
      });
      expect([run.exitCode, kind]).toEqual([78, "config"]);
      expect(message).toContain("no repository has the packages no-such-thing, nor-this");
      expect(hint).toContain("berry.toml");
    },
    patience,
  );

  test(
    "signed by a key that the keyring revoked is refused",
    async () => {
      const { run, kind, message } = await fail({ image: 'packages = ["berry-strange"]' });
      expect([run.exitCode, kind]).toEqual([65, "bad-data"]);
      expect(message).toMatch(
        /not signed by anyone whom the image trusts: berry-strange: key .*Revoked packager/,
      );
    },
    patience,
  );

  test(
    "that arrives damaged is refused",
    async () => {
      bakery.server.fault = (path) => (/\/iw-.*\.xz$/.test(path) ? { kind: "flip", offset: 300 } : null);
      await bakery.write("berry.toml", clusterText());
      const cache = join(bakery.folder, "cache-damaged");
      const { run, kind, message } = await fail({}, { cache });
      expect([run.exitCode, kind]).toEqual([65, "bad-data"]);
      expect(message).toContain("iw");
    },
    patience,
  );

  test(
    "whose scriptlet fails is installed with a warning",
    async () => {
      await bakery.write(
        "berry.toml",
        clusterText({ image: 'packages = ["berry-broken-scriptlet"]', nodes: ['name = "pi9"'] }),
      );
      const run = await bakery.bake([]);
      expect(run.exitCode).toBe(0);
      const warnings = run.events.flatMap((event) => (event.event === "warned" ? [event.message] : []));
      expect(warnings).toEqual(["error: command failed to execute correctly"]);
      await bakery.remove(join(bakery.folder, "images/pi9.img"));
    },
    patience,
  );
});

test(
  "a mirror that does not answer is called unavailable, with what to check",
  async () => {
    bakery.server.fault = (path) => (path.endsWith(".db") ? { kind: "status", status: 503 } : null);
    const { run, kind, hint } = await fail({ image: 'packages = ["htop"]' });
    expect([run.exitCode, kind]).toEqual([69, "unavailable"]);
    expect(hint).toContain("image.mirror");
  },
  patience,
);

test(
  "a script that fails ends the bake with what it said",
  async () => {
    const { run, message } = await fail({ image: 'script = "fails.sh"' });
    expect(run.exitCode).toBe(78);
    expect(message).toContain("fails.sh");
    expect(message).toContain("exit code 3");
    expect(message).toContain("the strawberries are out");
  },
  patience,
);

test(
  "an owner that the image does not have is named beside those it has",
  async () => {
    await bakery.write("motd", "hello\n");
    const { run, kind, message, hint } = await fail({
      image: 'files = [{ source = "motd", path = "/etc/motd", owner = "nemo" }]',
    });
    expect([run.exitCode, kind]).toEqual([78, "config"]);
    expect(message).toContain("no user nemo");
    expect(hint).toContain("chaney");
  },
  patience,
);

test(
  "a folder that images cannot be written to is refused before anything is baked",
  async () => {
    const locked = join(bakery.folder, "locked");
    await mkdir(locked, { mode: 0o555 });
    await chmod(locked, 0o555);
    const { run, kind, message } = await fail({ image: 'output = "locked/images"\npackages = ["htop"]' });
    expect([run.exitCode, kind]).toEqual([73, "cannot-create"]);
    expect(message).toContain(locked);
    expect(run.events.some(({ event }) => event === "started")).toBe(false);
  },
  patience,
);

test.skipIf(!isRoot)(
  "a cache that another user made is refused",
  async () => {
    const { run, kind, hint } = await fail({}, { asRoot: true });
    expect([run.exitCode, kind]).toEqual([77, "no-permission"]);
    expect(hint).toContain("--cache-dir");
  },
  patience,
);

test.skipIf(!isRoot)(
  "a disk that fills up while baking leaves nothing half done",
  async () => {
    await using scope = new AsyncDisposableStack();
    const disk = join(bakery.folder, "disk.ext4");
    await mustRun(["truncate", "--size=5G", disk], {}, signal());
    await mustRun(["mkfs.ext4", "-q", "-m", "0", disk], {}, signal());
    scope.defer(async () => void (await mustRun(["rm", disk], {}, signal())));
    const place = join(bakery.folder, "small");
    await mkdir(place);
    await bakery.write("berry.toml", clusterText());
    const before = await hostState(bakery.user, signal());
    // A mount namespace of its own: the disk is gone with the bake.
    const script = 'mount -o loop "$1" "$2"; chown "$3" "$2"; shift 3; exec "$@"';
    const program = [
      "unshare",
      "--mount",
      "bash",
      "-euc",
      script,
      "bash",
      disk,
      place,
      String(bakery.user.userId),
      ...bakery.user.argv([bakery.berry.path], {}),
    ];
    const running = bakery.start([], { asRoot: true, program, cache: join(place, "cache") });
    await running.until((event) => event.event === "started" && event.layer === "system");
    const seen = `/proc/${running.processId}/root${place}`;
    const free =
      Number((await mustRun(["stat", "--file-system", "--format=%a", seen], {}, signal())).trim()) * 4096;
    await mustRun(
      ["fallocate", "--length", String(free - 4 * 1024 * 1024), join(seen, "ballast")],
      {},
      signal(),
    );
    const run = await running.finished;
    const last = run.events.at(-1);
    expect(last).toMatchObject({ event: "failed", kind: "cannot-create" });
    expect(run.exitCode).toBe(73);
    expect(last?.event === "failed" && last.message).toMatch(/full|no space/i);
    expect(await hostState(bakery.user, signal())).toEqual(before);
    const list = async (path: string) => {
      const listed = await mustRun(["debugfs", "-R", `ls -p ${path}`, disk], {}, signal());
      return Array.from(
        listed.matchAll(/^\/\d+\/\d+\/\d+\/\d+\/([^/]+)\//gm),
        ([, name = ""]) => name,
      ).filter((name) => !/^\.\.?$/.test(name));
    };
    expect(await list("/cache/work")).toEqual([]);
    expect((await list("/cache/layers")).every((name) => name.startsWith("rootfs-"))).toBe(true);
  },
  patience,
);

test(
  "what was baked before all of this is good still",
  async () => {
    expect(await digest("pi1")).toBe(earlier);
    const image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
    expect(await image.complaints()).toEqual([]);
    expect(await readFile(join(bakery.folder, "berry.toml"), "utf8")).toContain("[[node]]");
  },
  patience,
);
