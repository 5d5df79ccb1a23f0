import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownFileFlaw } from "../../../../src/config/own-files.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import { packagesOf } from "../../../../src/imager/plan/probe-steps.ts";
import type { Step } from "../../../../src/imager/step.ts";
import { shippedTarget } from "../../../../src/imager/targets/targets.ts";
import { nodeFile, readRole } from "../../../../src/probe/announce/role-file.ts";
import { monitorFiles } from "../../../../src/probe/monitor/monitor-files.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import {
  arch,
  debian,
  makeCluster,
  makeFacts,
  makeNode,
  planOf,
  type PlanChanges,
} from "./cluster-values.ts";

const announce = "berry-announce.service";
const units = "/usr/lib/systemd/system";
const monitorPaths = [
  `${units}/berry-targets.service`,
  "/etc/prometheus/prometheus.yml",
  "/etc/prometheus/berry-alerts.yml",
  `${units}/prometheus.service.d/10-berry.conf`,
];

function planFor(target: string, role: string, packages: readonly string[] = [], changes: PlanChanges = {}) {
  return planOf(makeCluster(target, [makeNode("pi1", { role, image: { packages } })]), changes);
}

function layer(plan: Plan, name: string) {
  return plan.layers.find((each) => each.name === name);
}

const imageSteps = (plan: Plan) => layer(plan, "image")?.steps ?? [];

function written(steps: readonly Step[], path: string) {
  const found = steps.filter((step) => step.do === "write").find((step) => step.path === path);
  return found === undefined ? null : { mode: found.mode, owner: found.owner, content: found.content };
}

function enabled(plan: Plan): readonly string[] {
  const step = imageSteps(plan).find((one) => one.do === "run" && one.argv[2] === "enable");
  return step?.do === "run" ? step.argv : [];
}

const asRoot = (content: string) => ({ mode: 0o644, owner: "0:0", content });
const shipped = (name: string) => monitorFiles.find((file) => file.name === name)?.text ?? "";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-role-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([arch, debian])("every node of %s", (target) => {
  test("announces itself from its first boot on", async () => {
    const plan = planFor(target, "node");
    const text = await Bun.file(join(import.meta.dir, "../../../../systemd", announce)).text();
    expect(written(imageSteps(plan), `${units}/${announce}`)).toEqual(asRoot(text));
    expect(enabled(plan)).toContain(announce);
  });

  test.each(["node", "server-2", "007", "monitor"])("notes its role %s as it is announced", async (role) => {
    const file = written(planFor(target, role).nodes[0]?.steps ?? [], nodeFile);
    expect(file).toMatchObject({ mode: 0o644, owner: "0:0" });
    const path = join(folder, "node.toml");
    await writeFile(path, String(file?.content));
    expect(readRole(path)).toBe(role);
  });

  test("shares every layer with a node of another role, but for a monitor", () => {
    expect(planFor(target, "server").layers).toEqual(planFor(target, "node").layers);
    expect(imageSteps(planFor(target, "monitor"))).not.toEqual(imageSteps(planFor(target, "node")));
  });

  test("has nothing of a monitor, and no package more", () => {
    const plan = planFor(target, "node");
    for (const path of monitorPaths) expect(written(imageSteps(plan), path)).toBeNull();
    expect(enabled(plan).filter((unit) => /targets|^prometheus\.service$/.test(unit))).toEqual([]);
    expect(layer(plan, "packages")).toBeUndefined();
  });

  test("has none of it where there is no berry to run", () => {
    const plan = planFor(target, "monitor", [], { facts: makeFacts({ berry: null }) });
    for (const path of [`${units}/${announce}`, ...monitorPaths])
      expect(written(imageSteps(plan), path)).toBeNull();
    expect(written(plan.nodes[0]?.steps ?? [], nodeFile)).toBeNull();
    expect(enabled(plan).filter((unit) => /announce|targets/.test(unit))).toEqual([]);
  });
});

describe.each([arch, debian])("a monitor of %s", (name) => {
  const { target } = shippedTarget(name);

  test("has Prometheus like any package, once, in a layer that whoever wants it shares", () => {
    expect(packagesOf(makeNode("pi1", { role: "monitor" }), target)).toEqual(["prometheus"]);
    const both = makeNode("pi1", { role: "monitor", image: { packages: ["prometheus", "vim"] } });
    expect(packagesOf(both, target)).toEqual(["prometheus", "vim"]);
    const monitor = planFor(name, "monitor");
    expect(layer(monitor, "packages")?.key).toBe(
      layer(planFor(name, "node", ["prometheus"]), "packages")?.key ?? "",
    );
    expect(JSON.stringify(layer(monitor, "packages")?.steps)).toContain('"prometheus"');
    expect(layer(monitor, "system")).toEqual(layer(planFor(name, "node"), "system"));
  });

  test("has berry's configuration and alerts over those of the package", () => {
    const steps = imageSteps(planFor(name, "monitor"));
    expect(written(steps, "/etc/prometheus/prometheus.yml")).toEqual(asRoot(shipped("prometheus.yml")));
    expect(written(steps, "/etc/prometheus/berry-alerts.yml")).toEqual(asRoot(shipped("berry-alerts.yml")));
  });

  test("keeps a list of the nodes for it, and starts both", () => {
    const plan = planFor(name, "monitor");
    expect(written(imageSteps(plan), `${units}/berry-targets.service`)).toEqual(
      asRoot(shipped("berry-targets.service")),
    );
    expect(enabled(plan)).toEqual(
      expect.arrayContaining([announce, "berry-targets.service", "prometheus.service"]),
    );
    const steps = imageSteps(plan);
    const enable = steps.findIndex((step) => step.do === "run" && step.argv[2] === "enable");
    const last = steps.findLastIndex((step) => step.do === "write" && monitorPaths.includes(step.path));
    expect(enable).toBeGreaterThan(last);
  });

  test("keeps 90 days of it, and no more than fits, by the command of the package and two flags", () => {
    const dropIn = written(
      imageSteps(planFor(name, "monitor")),
      `${units}/prometheus.service.d/10-berry.conf`,
    );
    const commands = String(dropIn?.content)
      .split("\n")
      .filter((line) => line.startsWith("ExecStart="));
    const own =
      name === arch
        ? "/usr/bin/prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/prometheus/data $PROMETHEUS_ARGS"
        : "/usr/bin/prometheus $ARGS";
    expect(commands).toEqual([
      "ExecStart=",
      `ExecStart=${own} --storage.tsdb.retention.time=90d --storage.tsdb.retention.size=2GB`,
    ]);
  });

  test("is refused where the target file does not say how Prometheus is installed", async () => {
    const { prometheus: _, ...silent } = target;
    const node = makeNode("pi1", { role: "monitor" });
    const failure = await failureOf(Promise.try(() => packagesOf(node, silent)));
    expect(failure).toMatchObject({
      kind: "config",
      message: `pi1: the target ${name} does not say how Prometheus is installed`,
    });
    expect(packagesOf(makeNode("pi1"), silent)).toEqual([]);
  });

  test("takes no file of berry.toml for what berry configures, and another node does", () => {
    const paths = imageSteps(planFor(name, "monitor")).flatMap((step) =>
      step.do === "write" && step.path.startsWith("/etc/prometheus/") ? [step.path] : [],
    );
    expect(paths).toHaveLength(2);
    const flaw = (role: string, path: string) =>
      ownFileFlaw(
        { source: "/x", path, mode: 0o644, owner: "root", group: "root", secret: false },
        makeNode("pi1", { role }),
      );
    for (const path of paths) {
      expect(flaw("monitor", path)?.problem).toBe("berry writes this file itself");
      expect(flaw("node", path)).toBeNull();
    }
    expect(flaw("node", nodeFile)?.problem).toBe("berry writes this file itself");
  });
});
