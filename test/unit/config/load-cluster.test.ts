import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fanJudge } from "../../../src/commands/read-cluster.ts";
import type { Cluster, Node } from "../../../src/config/cluster.ts";
import { examineCluster, loadCluster } from "../../../src/config/load-cluster.ts";
import { BerryError } from "../../../src/core/errors.ts";
import { brokenClusters } from "./broken-clusters.ts";
import { furnish, key, secrets } from "./cluster-folder.ts";

const { signal } = new AbortController();
let folder: string;
beforeAll(async () => {
  folder = await furnish();
});
afterAll(() => rm(folder, { recursive: true }));

async function write(toml: string): Promise<string> {
  const file = join(folder, "berry.toml");
  await writeFile(file, toml);
  return file;
}

async function load(toml: string): Promise<{ cluster: Cluster; warnings: string[] }> {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (message: string) => void warnings.push(message.replaceAll(`${folder}/`, "")),
  };
  return { cluster: await loadCluster(await write(toml), fanJudge, log, signal), warnings };
}

async function failureOf(loading: Promise<unknown>): Promise<BerryError> {
  const thrown = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (thrown instanceof BerryError) return thrown;
  throw new Error("it did not fail with a BerryError", { cause: thrown });
}

function nodeOf(cluster: Cluster, index = 0): Node {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}

const head = '[cluster]\nname = "berry"\n';
const user = '[user]\nname = "chaney"\npassword_file = "password"\n';
const node = '[[node]]\nname = "pi1"\n';

describe("a broken cluster file", () => {
  test.each([...brokenClusters])("%s says so", async (_title, toml, lines) => {
    const failure = await failureOf(load(toml));
    expect(failure.kind).toBe("config");
    expect(failure.message.replaceAll(`${folder}/`, "").split("\n")).toEqual([...lines]);
    for (const secret of secrets) expect(failure.message).not.toContain(secret);
  });

  test("gives its problems as data", async () => {
    const file = await write(`${head}[image]\nkeymap = "a b"\n${user}${node}`);
    const { cluster, problems } = await examineCluster(file, fanJudge, signal);
    expect(cluster).toBeNull();
    expect(problems).toEqual([
      {
        file,
        key: "image.keymap",
        problem: "not a keymap",
        found: '"a b"',
        remedy: 'use a name such as "us" or "de-latin1"; localectl list-keymaps prints all',
      },
    ]);
  });

  test("that is no TOML says where, and quotes nothing of it", async () => {
    const failure = await failureOf(load(`${head}[user]\npassword = "hunter22\n`));
    expect(failure.kind).toBe("config");
    expect(failure.message.replaceAll(`${folder}/`, "")).toMatch(/^berry\.toml: line 4, column \d+: [^\n]+$/);
    expect(failure.message + String(failure.cause)).not.toContain("hunter");
  });

  test("that is not there points to berry init", async () => {
    const failure = await failureOf(examineCluster(join(folder, "none.toml"), fanJudge, signal));
    expect([failure.kind, failure.hint]).toEqual(["no-input", "berry init"]);
    expect(failure.message).toBe(`${folder}/none.toml: no such file`);
  });

  test("that could be a program is not executed", async () => {
    await writeFile(join(folder, "berry.ts"), "throw new Error('executed');");
    expect((await failureOf(examineCluster(join(folder, "berry.ts"), fanJudge, signal))).kind).toBe("usage");
    await writeFile(join(folder, "other.toml.ts"), "throw new Error('executed');");
    expect((await failureOf(examineCluster(join(folder, "other.toml"), fanJudge, signal))).kind).toBe(
      "no-input",
    );
  });
});

describe("a good cluster file", () => {
  test("of the least length gets every default", async () => {
    const { cluster, warnings } = await load(head + user + node);
    expect(warnings).toEqual([]);
    expect(cluster).toEqual({
      name: "berry",
      file: join(folder, "berry.toml"),
      target: "archlinuxarm-rpi-aarch64",
      outputDirectory: join(folder, "images"),
      nodes: [
        {
          name: "pi1",
          role: "node",
          image: {
            mirror: null,
            timezone: "UTC",
            locale: "C.UTF-8",
            locales: [],
            keymap: "us",
            packages: [],
            services: [],
            files: [],
            script: null,
            configTxt: [],
            cmdline: [],
            marginBytes: 256 * 1024 * 1024,
          },
          user: {
            name: "chaney",
            password: { kind: "file", path: join(folder, "password") },
            authorizedKeys: [],
            groups: [],
            sudo: "password",
            shell: "/bin/bash",
          },
          ssh: { passwordLogin: true, hostKeys: join(folder, "secret/host-keys") },
          network: { static: null, dns: [] },
          wifi: null,
          fan: null,
        },
      ],
    });
  });

  test("keeps every value of every table", async () => {
    const { cluster } = await load(`${head}
[image]
target = "./key.pub"
output = "out"
mirror = "http://mirror.example/$arch/$repo"
timezone = "Asia/Calcutta"
locale = "zh_CN.UTF-8"
locales = ["en_US.UTF-8", "de_DE.ISO-8859-15@euro"]
keymap = "de-latin1"
packages = ["vim", "htop"]
services = ["docker", "fstrim.timer", "dbus-org.bluez"]
files = [{ source = "raw", path = "/etc/k", mode = "0400", owner = "1000", group = "audio", secret = true }]
script = "script"
config_txt = ["dtparam=audio=on"]
cmdline = ["quiet"]
margin = "1G"
[user]
name = "chaney"
password_hash = "$6$saltsalt$${"a".repeat(86)}"
authorized_keys = ["key.pub", '''from="10.0.0.0/8,a b" ${key}''']
groups = ["video"]
sudo = false
shell = "/usr/bin/zsh"
[ssh]
password_login = false
host_keys = "keys"
[network]
address = ["192.168.1.11/24", "2001:db8::11/64"]
gateway = "192.168.1.1"
dns = ["127.0.0.53", "2001:db8::1"]
[wifi]
ssid = "ü"
psk_file = "wifi"
security = "wpa3"
store_passphrase = true
hidden = true
country = "CN"
[fan]
pin = 12
mode = "on-off"
[[node]]
name = "pi1"
role = "server"
`);
    expect([cluster.target, cluster.outputDirectory]).toEqual([join(folder, "key.pub"), join(folder, "out")]);
    expect(nodeOf(cluster)).toEqual({
      name: "pi1",
      role: "server",
      image: {
        mirror: "http://mirror.example/$arch/$repo",
        timezone: "Asia/Calcutta",
        locale: "zh_CN.UTF-8",
        locales: ["en_US.UTF-8", "de_DE.ISO-8859-15@euro"],
        keymap: "de-latin1",
        packages: ["vim", "htop"],
        services: ["docker.service", "fstrim.timer", "dbus-org.bluez.service"],
        files: [
          {
            source: join(folder, "raw"),
            path: "/etc/k",
            mode: 0o400,
            owner: "1000",
            group: "audio",
            secret: true,
          },
        ],
        script: join(folder, "script"),
        configTxt: ["dtparam=audio=on"],
        cmdline: ["quiet"],
        marginBytes: 1024 ** 3,
      },
      user: {
        name: "chaney",
        password: { kind: "hash", hash: `$6$saltsalt$${"a".repeat(86)}` },
        authorizedKeys: [key, `from="10.0.0.0/8,a b" ${key}`],
        groups: ["video"],
        sudo: "none",
        shell: "/usr/bin/zsh",
      },
      ssh: { passwordLogin: false, hostKeys: join(folder, "keys") },
      network: {
        static: { addresses: ["192.168.1.11/24", "2001:db8::11/64"], gateway: "192.168.1.1" },
        dns: ["127.0.0.53", "2001:db8::1"],
      },
      wifi: { ssid: "ü", pskFile: join(folder, "wifi"), security: "wpa3", hidden: true, country: "CN" },
      fan: {
        content: { pin: 12, mode: "on-off" },
        fans: [{ path: "", backend: "auto", pin: 12, mode: "on-off", chip: null, isInverted: false }],
      },
    });
  });

  test("lets a node keep its host keys elsewhere, or make them on its first boot", async () => {
    const nodes = `${node}[[node]]\nname = "pi2"\nssh.host_keys = false\n[[node]]\nname = "pi3"\nssh.host_keys = "/srv/keys"\n`;
    const { cluster } = await load(`${head}${user}[ssh]\nhost_keys = "folder"\n${nodes}`);
    expect(cluster.nodes.map(({ ssh }) => ssh.hostKeys)).toEqual([join(folder, "folder"), null, "/srv/keys"]);
  });

  test("lets a node override keys, replace lists and switch things off", async () => {
    const { cluster } = await load(`${head}${user}
[image]
keymap = "de"
packages = ["vim", "htop"]
[network]
gateway = "10.0.0.1"
dns = ["10.0.0.1"]
[wifi]
ssid = "home"
psk_file = "wifi"
country = "CN"
[fan]
pin = 12
[[node]]
name = "pi1"
image = { packages = ["tmux"] }
network = { address = "10.0.0.11/24" }
wifi = false
fan = { mode = "on-off" }
[[node]]
name = "pi2"
network = { address = [] }
wifi = { ssid = "cafe", security = "open" }
fan = false
user = { password_hash = "$5$saltsalt$${"a".repeat(43)}" }
`);
    const [pi1, pi2] = [nodeOf(cluster), nodeOf(cluster, 1)];
    expect([pi1.image.keymap, pi1.image.packages, pi2.image.packages]).toEqual([
      "de",
      ["tmux"],
      ["vim", "htop"],
    ]);
    expect(pi1.network).toEqual({
      static: { addresses: ["10.0.0.11/24"], gateway: "10.0.0.1" },
      dns: ["10.0.0.1"],
    });
    expect(pi2.network).toEqual({ static: null, dns: ["10.0.0.1"] });
    expect([pi1.wifi, pi2.fan, pi1.fan?.content]).toEqual([null, null, { pin: 12, mode: "on-off" }]);
    expect(pi2.wifi).toEqual({ ssid: "cafe", pskFile: null, security: "open", hidden: false, country: "CN" });
    expect([pi1.user.password?.kind, pi2.user.password?.kind]).toEqual(["file", "hash"]);
  });

  test("is frozen throughout", async () => {
    const { cluster } = await load(head + user + node);
    const visit = (value: object): boolean =>
      Object.isFrozen(value) &&
      Object.values(value).every((part) => typeof part !== "object" || part === null || visit(part));
    expect(visit(cluster)).toBe(true);
  });

  test("never holds a secret", async () => {
    const { cluster } = await load(
      `${head}${user}[wifi]\nssid = "home"\npsk_file = "wifi"\ncountry = "CN"\n${node}`,
    );
    const text = JSON.stringify(cluster);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test("takes a folder with spaces and signs in its name", async () => {
    const inner = join(folder, "a b#c%20d");
    await Bun.write(join(inner, "berry.toml"), head + user.replace('"password"', '"../password"') + node);
    const { cluster } = await examineCluster(join(inner, "berry.toml"), fanJudge, signal);
    expect(cluster?.outputDirectory).toBe(join(inner, "images"));
  });

  test("warns when others can read a secret, and when sudo asks for a password that is not there", async () => {
    await writeFile(join(folder, "open-wifi"), "correct horse\n");
    await chmod(join(folder, "open-wifi"), 0o644);
    const { warnings } = await load(
      `${head}[user]\nname = "chaney"\nauthorized_keys = ["key.pub"]\n[wifi]\nssid = "home"\npsk_file = "open-wifi"\ncountry = "CN"\n${node}[[node]]\nname = "pi2"\n`,
    );
    expect(warnings).toEqual([
      "berry.toml: user.sudo: sudo asks for a password, which chaney does not have",
      "berry.toml: wifi.psk_file: open-wifi holds a secret and is open to other users (mode 0644)",
    ]);
  });

  test("warns of a role that is nearly the one that has a meaning", async () => {
    const roles = ["monitor", "monitors", "monitoring", "server", "motor"].map(
      (role, index) => `[[node]]\nname = "pi${index}"\nrole = "${role}"\n`,
    );
    expect((await load(head + user + roles.join(""))).warnings).toEqual([
      'berry.toml: node[pi1].role: "monitors" is a name like any other',
      'berry.toml: node[pi2].role: "monitoring" is a name like any other',
    ]);
  });

  test("is not loaded once the signal is aborted", async () => {
    const reason = new BerryError("interrupted", "interrupted by SIGINT");
    expect(
      await failureOf(examineCluster(await write(head + user + node), fanJudge, AbortSignal.abort(reason))),
    ).toBe(reason);
  });
});
