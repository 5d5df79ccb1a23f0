import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { lockedImage } from "../../../../src/imager/lock/lock.ts";
import { parseLock } from "../../../../src/imager/lock/parse-lock.ts";
import { renderLock } from "../../../../src/imager/lock/render-lock.ts";
import { refuseOtherInputs } from "../../../../src/imager/lock/trust-layers.ts";
import { planScript } from "../../../../src/imager/script/script.ts";
import { imageSoftware } from "../../../../src/imager/software/compose-software.ts";
import type { HostFacts } from "../../../../src/imager/facts/host-facts.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import { refusalOf } from "../lock/lock-values.ts";
import { archNotes, digestOf } from "../software/software-values.ts";
import { arch, makeCluster, makeFacts, makeFan, makeNode, planOf } from "./cluster-values.ts";

const sha256 = digestOf("berry-0.1.0-1-aarch64.pkg.tar.zst");
const packaged: HostFacts["berry"] = {
  path: "/home/chaney/berry.pkg.tar.zst",
  sha256,
  package: { version: "0.1.0-1", architecture: "aarch64", ending: "zst" },
};
const cluster = makeCluster(arch, [makeNode("pi1", { fan: makeFan(), image: { packages: ["vim"] } })]);
const planWith = (changes: Partial<HostFacts> = {}): Plan =>
  planOf(cluster, { facts: makeFacts({ berry: packaged, ...changes }) });
const stepsOf = (plan: Plan, name: string) => plan.layers.find((layer) => layer.name === name)?.steps ?? [];

describe("an image whose berry is a package", () => {
  test("has it in a layer of its own, upon the packages and below the image", () => {
    expect(planWith().layers.map(({ name }) => name)).toEqual([
      "rootfs",
      "system",
      "packages",
      "berry",
      "image",
    ]);
  });
  test("has it installed by the host's pacman, under the name that pacman gives it", () => {
    const steps = stepsOf(planWith(), "berry");
    const copy = steps.find((step) => step.do === "copy");
    expect(copy).toMatchObject({
      source: packaged.path,
      sha256,
      path: "/run/berry/berry-0.1.0-1-aarch64.pkg.tar.zst",
    });
    const call = steps.find((step) => step.do === "run" && step.argv.includes("--upgrade"));
    expect(call?.do === "run" && call.argv.at(-1)).toEndWith(
      "/root/run/berry/berry-0.1.0-1-aarch64.pkg.tar.zst",
    );
  });
  test("has it installed by its own pacman where the host has none, which finds the file inside", () => {
    const steps = stepsOf(planWith({ pacmanMajor: null }), "berry");
    const call = steps.find((step) => step.do === "chroot" && step.argv.includes("--upgrade"));
    expect(call?.do === "chroot" && call.argv.at(-1)).toBe("/run/berry/berry-0.1.0-1-aarch64.pkg.tar.zst");
  });
  test("is not given a second time what the package brings, and is enabled and configured all the same", () => {
    const plan = planWith();
    const steps = stepsOf(plan, "image");
    const written = steps.flatMap((step) => (step.do === "write" || step.do === "copy" ? [step.path] : []));
    for (const path of [
      "/usr/bin/berry",
      "/usr/lib/berry/fand-failsafe",
      "/usr/lib/systemd/system/berry-fand.service",
    ])
      expect(written).not.toContain(path);
    expect(written).toContain("/usr/lib/berry/grow");
    expect(written).toContain("/etc/berry/fand.toml");
    const enable = steps.find((step) => step.do === "run" && step.argv[2] === "enable");
    expect(enable?.do === "run" && enable.argv).toContain("berry-fand.service");
    const own = plan.nodes[0]?.steps.find(
      (step) => step.do === "write" && step.path === "/etc/berry/fand.toml",
    );
    const settings: unknown = own?.do === "write" ? parse(own.content) : null;
    expect(settings).toEqual(makeFan().content);
  });
  test("is made anew when the package changes, and the packages below it are not", () => {
    const before = planWith().layers.map(({ key }) => key);
    const after = planWith({ berry: { ...packaged, sha256: "c".repeat(64) } }).layers.map(({ key }) => key);
    expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
    expect(after[3]).not.toBe(before[3]);
    expect(after[4]).not.toBe(before[4]);
  });
  test("is told as a script that bash accepts", () => {
    const script = planScript(planWith(), { isRoot: false });
    const { exitCode, stderr } = Bun.spawnSync(["bash", "-n"], { stdin: Buffer.from(script) });
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    expect(script).toContain("# install berry 0.1.0-1\n");
  });
});

describe("the lock of an image whose berry is a package", () => {
  const { software } = planWith().nodes[0] ?? {};
  if (software === undefined) throw new Error("the plan has no node");
  const before = { bash: "5-1", vim: "9-1" };
  const after = { ...before, berry: "0.1.0-1" };
  const found = imageSoftware(software, [
    archNotes("rootfs", { bash: "5-1" }, ["rootfs.tar.gz"]),
    archNotes("mirror", { bash: "5-1" }, []),
    archNotes("mirror", before, ["vim-9-1-aarch64.pkg.tar.xz"]),
    archNotes("file", after, ["berry-0.1.0-1-aarch64.pkg.tar.zst"]),
    archNotes("script", after),
  ]);
  const lock = { pi1: lockedImage(found) };
  const locked = (berry: HostFacts["berry"]) => planOf(cluster, { facts: makeFacts({ berry }), lock });

  test("names the package with its digest, and no bare program", () => {
    expect(found.berry).toBeNull();
    const text = renderLock(lock);
    expect(text).toContain(
      `{"package":"berry","version":"0.1.0-1","architecture":"aarch64","sha256":"${sha256}","source":"file"}`,
    );
    expect(text).not.toContain("/usr/bin/berry");
    expect(parseLock("berry.lock", text)).toEqual(lock);
  });
  test("is kept to by the same package alone", () => {
    expect(() => refuseOtherInputs(locked(packaged))).not.toThrow();
    const other = { ...packaged, sha256: "c".repeat(64) };
    expect(refusalOf(() => refuseOtherInputs(locked(other)))).toMatchObject({ kind: "bad-data" });
    const bare = refusalOf(() => refuseOtherInputs(locked(makeFacts().berry)));
    expect(bare.message).toContain("  berry (aarch64): locked 0.1.0-1, not found");
    expect(bare.message).toContain("  berry: not in the lock, found sha256 bbbb");
  });
  test("of a bare program is not kept to by a package", () => {
    const bareLock = { pi1: { ...lock.pi1, berrySha256: "b".repeat(64), packages: [] } };
    const plan = planOf(cluster, { facts: makeFacts({ berry: packaged }), lock: bareLock });
    expect(refusalOf(() => refuseOtherInputs(plan)).message).toContain("not in the lock, found 0.1.0-1");
  });
});
