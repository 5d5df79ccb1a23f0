import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { layOut } from "../../../../src/probe/monitor/lay-out-file.ts";
import { monitorFiles, targetsPath } from "../../../../src/probe/monitor/monitor-files.ts";
import { type MdnsLab, openLab } from "../../../fixtures/mdns-lab.ts";

const asker = resolve(import.meta.dir, "../../../fixtures/ask-prometheus.fixture.ts");
const program = resolve(import.meta.dir, "../../../../src/main.ts");
const seconds = 120;
const nodes = [
  { name: "pi1", subnet: 0, number: 11 },
  { name: "pi2", subnet: 0, number: 12 },
  { name: "pi3", subnet: 0, number: 13 },
];

let lab: MdnsLab;
let folder = "";
const signal = () => AbortSignal.timeout(seconds * 1000);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-monitor-"));
  lab = await openLab({ subnets: 1, nodes }, signal());
  await layOut(join(folder, "prometheus"), monitorFiles);
  await mkdir(join(folder, "metrics"));
  await mkdir(join(folder, "sys/class/thermal/thermal_zone0"), { recursive: true });
  for (const [name, text] of [
    ["type", "cpu-thermal"],
    ["temp", "91000"],
    ["policy", "step_wise"],
  ] as const)
    await writeFile(join(folder, "sys/class/thermal/thermal_zone0", name), `${text}\n`);
  await writeFile(
    join(folder, "metrics/berry.prom"),
    'berry_fan_duty_ratio{fan="fan0"} 0.3\nberry_fan_last_update_timestamp_seconds 1000\n',
  );
  lab.spawn("viewer", [
    "prometheus",
    `--config.file=${join(folder, "prometheus/prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:9090",
  ]);
  for (const { name } of nodes)
    lab.spawn(name, [
      "prometheus-node-exporter",
      `--collector.textfile.directory=${join(folder, "metrics")}`,
      `--path.sysfs=${join(folder, "sys")}`,
    ]);
}, seconds * 1000);
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Labels of the results, as soon as there are so many. */
async function results(query: string, count: number): Promise<readonly Record<string, string>[]> {
  const words = [process.execPath, asker, "http://127.0.0.1:9090", query, String(count)];
  const { stdout, stderr, exitCode } = await lab.run("viewer", words, {}, signal());
  expect({ query, stderr, exitCode }).toEqual({ query, stderr: "", exitCode: 0 });
  return JSON.parse(stdout) as Record<string, string>[];
}

async function shell(place: string, script: string, stdin = ""): Promise<void> {
  const { stderr, exitCode } = await lab.run(place, ["sh", "-euc", script], { stdin }, signal());
  expect({ script, stderr, exitCode }).toEqual({ script, stderr: "", exitCode: 0 });
}

/** Replaces the list of nodes by another, as `--write` does. */
async function announce(list: readonly { node: string; serial: string; address: string }[]): Promise<void> {
  const groups = list.map(({ node, serial, address }) => ({
    targets: [`${address}:9100`],
    labels: { node, serial },
  }));
  await shell(
    "viewer",
    `mkdir -p /run/berry-targets; cat >${targetsPath}.next; mv ${targetsPath}.next ${targetsPath}`,
    JSON.stringify(groups),
  );
}

const pi1 = { node: "pi1", serial: "10000000a1b2c3d4", address: "10.77.0.11" };
const pi2 = { node: "pi2", serial: "10000000a1b2c3d5", address: "10.77.0.12" };

describe("Prometheus with berry's configuration", () => {
  test(
    "asks nodes as soon as they are listed, and knows them by name and serial",
    async () => {
      // so that the folder is not there yet when Prometheus looks for the first time
      await results("vector(1)", 1);
      await announce([pi1]);
      expect(await results('up{job="node"} == 1', 1)).toEqual([
        { __name__: "up", job: "node", instance: "pi1", node: "pi1", serial: pi1.serial },
      ]);
      await announce([pi1, pi2]);
      const both = await results('up{job="node"} == 1', 2);
      expect(new Set(both.map(({ node }) => node))).toEqual(new Set(["pi1", "pi2"]));
    },
    seconds * 1000,
  );
  test(
    "finds every metric of node_exporter that an alert asks for, and alerts",
    async () => {
      const alerts = monitorFiles.find(({ name }) => name === "berry-alerts.yml")?.text ?? "";
      const asked = new Set([...alerts.matchAll(/\b(node_[a-z_]+)\{/g)].map(([, name = ""]) => name));
      // there is no systemd in here
      asked.delete("node_systemd_unit_state");
      expect(asked.size).toBeGreaterThan(5);
      for (const name of asked) await results(`count(${name}{node="pi1"})`, 1);
      await results('berry:node_temperature_celsius{node="pi1"} == 91', 1);
      await results('berry:node_uptime_seconds{node="pi1"} > 0', 1);
      const stale = await results('ALERTS{alertname="BerryFandStale", node="pi1"}', 1);
      expect(stale).toMatchObject([{ instance: "pi1", severity: "critical", serial: pi1.serial }]);
      await results('ALERTS{alertname="BerryNodeTooHot", node="pi1"}', 1);
    },
    seconds * 1000,
  );
  test(
    "goes on with the same series when a node gets another address",
    async () => {
      await shell("pi1", "ip addr del 10.77.0.11/24 dev eth0; ip addr add 10.77.0.99/24 dev eth0");
      await results('up{node="pi1"} == 0', 1);
      await announce([{ ...pi1, address: "10.77.0.99" }, pi2]);
      await results('up{node="pi1"} == 1', 1);
      expect(await results('last_over_time(up{node="pi1"}[1h])', 1)).toHaveLength(1);
    },
    seconds * 1000,
  );
  test(
    "forgets a node that is no longer listed, and notes that it has vanished",
    async () => {
      await announce([pi1]);
      await results('up{node="pi2"}', 0);
      await results('ALERTS{alertname="BerryNodeVanished", node="pi2"}', 1);
    },
    seconds * 1000,
  );
  test(
    "asks a node that announces itself, with nobody's help",
    async () => {
      const words = ["probe", "--watch", "-o", "prom-sd", "--write", targetsPath];
      lab.spawn("viewer", [process.execPath, program, ...words]);
      const serial = "10000000a1b2c3d6";
      const node = { name: "pi3", hostName: "pi3", subnet: 0, number: 13 };
      await lab.announce({ ...node, txt: [`serial=${serial}`, "role=worker"] }, signal());
      const [labels] = await results('up{node="pi3"} == 1', 1);
      expect(labels).toEqual({
        __name__: "up",
        job: "node",
        instance: "pi3",
        node: "pi3",
        role: "worker",
        serial,
      });
    },
    seconds * 1000,
  );
});
