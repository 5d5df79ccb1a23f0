import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderAnsible } from "../../../src/probe/formats/ansible.ts";
import { renderHosts } from "../../../src/probe/formats/hosts.ts";
import { renderPromSd } from "../../../src/probe/formats/prom-sd.ts";
import { renderSshConfig } from "../../../src/probe/formats/ssh-config.ts";
import { rowsOf } from "../../../src/probe/rows/rows-of.ts";
import { hostileRows, hostileTexts } from "../../fixtures/hostile-rows.ts";
import { pageAt, sightingOf } from "../../fixtures/probe-values.ts";
import { mustRun } from "../../fixtures/run.ts";

const { signal } = new AbortController();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-formats-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}
const run = (...argv: readonly string[]) => mustRun(argv, { env: { HOME: folder } }, signal);

/** Honest nodes and liars, and a node that has IPv6 alone. */
const rows = [
  ...hostileRows(),
  ...rowsOf(
    [
      {
        sighting: sightingOf("pi6", 6, { addresses: [{ address: "fd00::6", family: 6, zone: "eth0" }] }),
        answer: pageAt(6, { hostName: "pi6" }),
      },
    ],
    null,
  ),
];
const users = [{ name: "pi1", user: "chaney" }];
const names = ["pi1", "pi2", "pi6"];

describe("Prometheus", () => {
  test("takes the file, and discovers every node by its address, under its labels", async () => {
    const nodes = await write("nodes.json", renderPromSd(rows).text);
    const config = await write(
      "prometheus.yml",
      `scrape_configs:\n  - job_name: node\n    file_sd_configs:\n      - files: ["${nodes}"]\n`,
    );
    expect(await run("promtool", "check", "config", config)).toContain("is valid");
    const found = await run("promtool", "check", "service-discovery", "--timeout=1s", config, "node");
    const listed = JSON.parse(found) as { labels: Record<string, string> }[];
    expect(listed).toHaveLength(names.length + hostileTexts.length);
    const labels = listed.map((each) => each.labels).filter((each) => names.includes(each["node"] ?? ""));
    const told = labels.map((each) => [each["node"], each["instance"], each["serial"], each["role"]]);
    expect(told.toSorted((one, other) => String(one[0]).localeCompare(String(other[0])))).toEqual([
      ["pi1", "192.168.1.1:9100", "10000000a1b2c301", "server"],
      ["pi2", "192.168.1.2:9100", "10000000a1b2c302", "node"],
      ["pi6", "[fd00::6]:9100", "10000000a1b2c306", "node"],
    ]);
  });
});

describe("ssh", () => {
  test("knows each node, and nothing else", async () => {
    const file = await write("ssh.conf", renderSshConfig(rows, users).text);
    const settingsOf = async (host: string) => {
      const lines = (await run("ssh", "-G", "-F", file, host)).split("\n");
      const value = (key: string) => lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1);
      return ["hostname", "user", "hostkeyalias", "proxycommand"].map(value);
    };
    expect(await settingsOf("pi1")).toEqual(["192.168.1.1", "chaney", "pi1", undefined]);
    expect((await settingsOf("pi6"))[0]).toBe("fd00::6");
    expect((await settingsOf("bank"))[0]).toBe("bank");
    expect((await settingsOf("bank"))[3]).toBeUndefined();
  });
});

describe("Ansible", () => {
  test("takes the inventory, whatever the file is called", async () => {
    const file = await write("inventory", renderAnsible(rows, users).text);
    const inventory = JSON.parse(await run("ansible-inventory", "-i", file, "--list")) as {
      _meta: { hostvars: Record<string, Record<string, unknown>> };
      berry_nodes: { hosts: string[] };
      role_server: { hosts: string[] };
    };
    expect(inventory.berry_nodes.hosts.toSorted()).toEqual(names);
    expect(inventory.role_server.hosts).toEqual(["pi1"]);
    expect(inventory._meta.hostvars["pi1"]).toEqual({
      ansible_host: "192.168.1.1",
      ansible_user: "chaney",
      berry_serial: "10000000a1b2c301",
    });
    expect(inventory._meta.hostvars["pi6"]).toMatchObject({ ansible_host: "fd00::6" });
  });
});

describe("the C library", () => {
  test("finds each node in a hosts file, and nothing else", async () => {
    const file = await write("hosts", renderHosts(rows).text);
    const script = `mount --bind "$1" /etc/hosts && shift && for name; do getent -s files hosts "$name" || echo "no $name"; done`;
    const found = await run(
      ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", file],
      ...["pi1", "pi6", "pi3", "bank", "localhost"],
    );
    expect(found.replaceAll(/ +/g, " ").trim().split("\n")).toEqual([
      "192.168.1.1 pi1",
      "fd00::6 pi6",
      "no pi3",
      "no bank",
      "no localhost",
    ]);
  });
});
