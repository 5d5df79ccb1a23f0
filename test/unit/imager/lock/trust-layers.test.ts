import { describe, expect, test } from "bun:test";
import { lockedImage } from "../../../../src/imager/lock/lock.ts";
import type { Lock, LockedImage } from "../../../../src/imager/lock/lock.ts";
import { refuseOtherInputs, trustLayers } from "../../../../src/imager/lock/trust-layers.ts";
import { imageSoftware } from "../../../../src/imager/software/compose-software.ts";
import type { LayerNotes } from "../../../../src/imager/software/software.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import { arch, makeCluster, makeFacts, makeNode, planOf } from "../plan/cluster-values.ts";
import { archNotes } from "../software/software-values.ts";
import { refusalOf } from "./lock-values.ts";

const cluster = makeCluster(arch, [
  makeNode("pi1", { image: { packages: ["vim"] } }),
  makeNode("pi2", { image: { packages: ["vim", "htop"] } }),
]);
const names = planOf(cluster).layers.map(({ directory }) => directory.split("/").at(-1) ?? "");
const facts = makeFacts({ cachedLayers: names });

const rootfs = archNotes("rootfs", { bash: "5-1" }, ["rootfs.tar.gz"]);
const system = archNotes("mirror", { bash: "5-1", kernel: "6-1" }, ["kernel-6-1-aarch64.pkg.tar.xz"]);
const packages = archNotes("mirror", { bash: "5-1", kernel: "6-1", vim: "9-1" }, [
  "vim-9-1-aarch64.pkg.tar.xz",
]);
const image = archNotes("script", { bash: "5-1", kernel: "6-1", vim: "9-1" });
const layers = { rootfs, system, packages, image };

type Name = keyof typeof layers;
const nameOf = (directory: string): Name => (directory.split("/").at(-1)?.split("-")[0] ?? "image") as Name;

function planWith(lock: Lock): Plan {
  return planOf(cluster, { facts, lock });
}

function there<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("it is not there");
  return value;
}

const { software } = there(planOf(cluster, { facts }).nodes[0]);
const made: LockedImage = lockedImage(imageSoftware(software, [rootfs, system, packages, image]));
const tarball = there(made.rootfs);
const fitting: Lock = { pi1: made, pi2: made };

function cachedIn(plan: Plan): string[] {
  return plan.layers.filter(({ cached }) => cached).map(({ name }) => name);
}

const trusted = (lock: Lock, notes: Partial<Record<Name, LayerNotes | null>> = {}): string[] =>
  cachedIn(trustLayers(planWith(lock), (directory) => ({ ...layers, ...notes })[nameOf(directory)] ?? null));

const all = ["rootfs", "system", "packages", "image", "packages", "image"];

describe("layers of the cache", () => {
  test("are used where they fit the lock", () => {
    expect(trusted(fitting)).toEqual(all);
  });
  test("are made anew from the lowest one that does not fit, and those of other nodes stay", () => {
    const other = {
      ...made,
      packages: made.packages.map((each) => (each.name === "vim" ? { ...each, version: "8-1" } : each)),
    };
    expect(trusted({ ...fitting, pi2: other })).toEqual(["rootfs", "system", "packages", "image"]);
    const kernel = {
      ...made,
      packages: made.packages.map((each) =>
        each.name === "kernel" ? { ...each, sha256: "0".repeat(64) } : each,
      ),
    };
    expect(trusted({ pi1: kernel, pi2: kernel })).toEqual(["rootfs"]);
    expect(trusted({ pi1: { ...made, rootfs: null }, pi2: made })).toEqual([]);
  });
  test("are made anew but for the tarball where something is missing, as no layer says which one lacks it", () => {
    const more = { ...made, packages: [...made.packages, { ...there(made.packages[1]), name: "iw" }] };
    expect(trusted({ ...fitting, pi1: more })).toEqual(["rootfs"]);
  });
  test("that have no notes are not looked at any further: nothing above them is in the cache", () => {
    expect(trusted(fitting, { packages: null })).toEqual(all);
  });
  test("need no lock to be used", () => {
    expect(cachedIn(trustLayers(planOf(cluster, { facts }), () => null))).toEqual(all);
  });
});

describe("a cluster file that asks for something else than the lock has", () => {
  test.each<[string, Partial<LockedImage>]>([
    ["target", { target: "debian-arm64" }],
    ["berry", { berrySha256: "0".repeat(64) }],
    ["rootfs", { rootfs: { ...tarball, url: "http://other.example/rootfs.tar.gz" } }],
    ["rootfs' signing key", { rootfs: { ...tarball, signingKey: "0".repeat(40) } }],
  ])("by its %s is refused before anything is done", (what, changes) => {
    const { message } = refusalOf(() =>
      refuseOtherInputs(planWith({ ...fitting, pi2: { ...made, ...changes } })),
    );
    expect(message).toContain("the image of pi2 would not be what the lock says");
    expect(message).toContain(`  ${what}: locked `);
  });
  test("otherwise is not", () => {
    expect(() => refuseOtherInputs(planWith(fitting))).not.toThrow();
    expect(() => refuseOtherInputs(planOf(cluster, { facts }))).not.toThrow();
  });
});

describe("a lock", () => {
  const checks = (plan: Plan): string[] =>
    plan.layers.flatMap(({ name, steps }) =>
      steps.flatMap((step) => (step.do === "check-lock" ? [`${name}: ${step.found.kind}`] : [])),
    );
  test("is compared with what is downloaded, before it is unpacked", () => {
    expect(checks(planWith(fitting))).toEqual([
      "rootfs: tarball",
      "system: pacman",
      "packages: pacman",
      "packages: pacman",
    ]);
    const [lowest] = planWith(fitting).layers;
    expect(lowest?.steps.map((step) => step.do)).toEqual(["download", "check-lock", "run", "list-software"]);
  });
  test("is no part of what a layer is cached under", () => {
    const keys = (plan: Plan): string[] => plan.layers.map(({ key }) => key);
    expect(keys(planWith(fitting))).toEqual(keys(planOf(cluster, { facts })));
    expect(checks(planOf(cluster, { facts }))).toEqual([]);
  });
});
