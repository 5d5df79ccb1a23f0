import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture, tarballName } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { type Bakery, openBakery } from "../fixtures/bakery.ts";
import { cacheState } from "../fixtures/cache-state.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { hostState, type HostState } from "../fixtures/host-state.ts";
import { compareTrees, type TreeEntry } from "../fixtures/tree-entry.ts";

const patience = 240_000;
const signal = () => AbortSignal.timeout(patience);

// crypt(5) of "straw" with a salt of its own, so that every bake writes the same
const hash =
  "$6$berryplaces$0hrjK1Z9nFuLqjK8ZoP0oFf2BqWk1qVnUoM3r0S1Yl4Y4rQ1cXb8m2n5v7x9z1A3C5E7G9I1K3M5O7Q9S1U3W/";

// a bake of several takes long enough to be stopped in the first
const nodes = ["pi1", "pi2", "pi3"];

let bakery: Bakery;
let before: HostState;
let whole: readonly TreeEntry[];

beforeAll(async () => {
  bakery = await openBakery(await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000)), signal());
  await bakery.write(
    "berry.toml",
    clusterText({
      image: 'packages = ["vim"]',
      user: `name = "chaney"\npassword_hash = "${hash}"`,
      nodes: nodes.map((name) => `name = "${name}"`),
    }),
  );
  before = await hostState(bakery.user, signal());
  const cache = join(bakery.folder, "cache-whole");
  const run = await bakery.bake([], { cache });
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  whole = await bakedRoot();
  await bakery.remove(cache);
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

async function bakedRoot(): Promise<readonly TreeEntry[]> {
  const image = await openImage(join(bakery.folder, "images/pi1.img"), signal());
  expect(await image.complaints()).toEqual([]);
  return await image.root();
}

/** The steps at which a bake is stopped, in their order, by their titles. */
const phases = {
  download: /^download and verify/,
  unpack: /^unpack/,
  pacman: /^upgrade the system/,
  "more packages": /^install vim/,
  customise: /^add the user/,
  pack: /^pack the image/,
  patch: /^write pi1\.img/,
} as const;

/** The process that is berry's worker: the first one in its PID namespace. */
async function workerOf(berry: number): Promise<number> {
  const unshare = await childOf(berry);
  return await childOf(unshare);
}

async function childOf(parent: number): Promise<number> {
  for (const id of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
    if (new RegExp(`^PPid:\\t${parent}$`, "m").test(status)) return Number(id);
  }
  throw new Error(`process ${parent} has no child`);
}

/** Whoever was killed cannot wait for those that go with it. */
async function untilProcessesEnded(deadline: AbortSignal): Promise<void> {
  while (!deadline.aborted) {
    const { processes } = await hostState(bakery.user, deadline);
    if (Bun.deepEquals(processes, before.processes)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const stops = {
  "Ctrl-C": (berry: number) => process.kill(berry, "SIGINT"),
  "kill -9 of berry": (berry: number) => process.kill(berry, "SIGKILL"),
  "kill -9 of the worker": async (berry: number) => process.kill(await workerOf(berry), "SIGKILL"),
} as const;

describe.each(Object.keys(stops) as (keyof typeof stops)[])("%s", (kind) => {
  test(
    "at any step leaves no process, no mount and no half layer, and the next bake goes on from there",
    async () => {
      const cache = join(bakery.folder, `cache-${kind.replaceAll(" ", "-")}`);
      const reached: string[] = [];
      for (const [phase, title] of Object.entries(phases)) {
        await bakery.remove(join(bakery.folder, "images"));
        const release = Promise.withResolvers<void>();
        // it would be over before anybody looks
        bakery.server.fault = (path) =>
          phase === "download" && path === `/os/${tarballName}`
            ? { kind: "stall", headBytes: 1_000_000, release: release.promise }
            : null;
        const running = bakery.start([], { cache });
        const event = await running.until((one) => one.event === "started" && title.test(one.title));
        expect({ phase, event }).toMatchObject({ phase, event: { event: "started" } });
        await stops[kind](running.processId);
        const run = await running.finished;
        release.resolve();
        reached.push(phase);
        await untilProcessesEnded(AbortSignal.timeout(20_000));
        expect(await hostState(bakery.user, signal())).toEqual(before);
        const state = await cacheState({ folder: bakery.folder, cache });
        expect(state.halfLayers).toEqual([]);
        expect(state.images).not.toContain("pi3.img");
        if (kind === "Ctrl-C") {
          expect({ phase, exitCode: run.exitCode }).toEqual({ phase, exitCode: 130 });
          expect(state.unfinished).toEqual([]);
          expect(state.images.filter((name) => !/^pi[12]\.img$/.test(name))).toEqual([]);
          const undone = run.events.flatMap((one) => (one.event === "undone" ? [one.what] : []));
          // some nodes are baked at a time
          expect(undone.length).toBeWithin(1, phase === "patch" ? 4 : 2);
          for (const what of undone) {
            expect(what).toMatch(
              phase === "patch"
                ? /^removed the unfinished image of pi\d$/
                : /^removed the unfinished layer \w+$/,
            );
          }
          expect(run.events.at(-1)).toMatchObject({ event: "failed", kind: "interrupted" });
        } else if (kind === "kill -9 of the worker") {
          expect(run.exitCode).toBe(71);
          expect(run.events.at(-1)).toMatchObject({ event: "failed", kind: "os" });
        } else expect(run.exitCode).toBeNull();
      }
      expect(reached).toEqual(Object.keys(phases));
      const last = await bakery.bake([], { cache });
      expect(last.exitCode === 0 ? "" : last.stdout).toBe("");
      expect(await cacheState({ folder: bakery.folder, cache })).toMatchObject({
        halfLayers: [],
        unfinished: [],
        images: nodes.map((name) => `${name}.img`),
      });
      const cached = last.events.flatMap((one) => (one.event === "cached" ? [one.layer] : []));
      expect(cached).toEqual(["rootfs", "system", "packages", "image"]);
      const differences = compareTrees(whole, await bakedRoot(), { ignoreTimes: "*" });
      // what says when it was installed
      expect(differences.filter((line) => !/^\/var\/lib\/pacman\/local\/[^/]+\/desc: /.test(line))).toEqual(
        [],
      );
      await bakery.remove(cache);
    },
    patience,
  );
});

test(
  "a second bake on the same cache is refused while the first one goes on",
  async () => {
    const release = Promise.withResolvers<void>();
    bakery.server.fault = (path) =>
      path === `/os/${tarballName}`
        ? { kind: "stall", headBytes: 1_000_000, release: release.promise }
        : null;
    const cache = join(bakery.folder, "cache-twice");
    const first = bakery.start([], { cache });
    await first.until((event) => event.event === "progress");
    const second = await bakery.bake([], { cache });
    expect(second.exitCode).toBe(75);
    expect(second.events.at(-1)).toEqual({
      event: "failed",
      kind: "temporary",
      message: `another bake is working in ${cache}`,
      hint: "wait until it has ended",
    });
    // two makers of the same images would spoil them for one another
    const other = await bakery.bake([], { cache: join(bakery.folder, "cache-other") });
    expect(other.exitCode).toBe(75);
    expect(other.events.at(-1)).toMatchObject({
      message: `another bake is making images in ${join(bakery.folder, "images")}`,
    });
    release.resolve();
    expect((await first.finished).exitCode).toBe(0);
    await bakedRoot();
  },
  patience,
);
