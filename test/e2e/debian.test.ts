import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BakeEvent } from "../../src/imager/event.ts";
import { parseLock } from "../../src/imager/lock/parse-lock.ts";
import { shippedTarget } from "../../src/imager/targets.ts";
import { startMachine, type Machine } from "../../src/imager/boot/machine.ts";
import { commandRunner } from "../../src/system/command-runner.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { compiledBerry } from "../fixtures/compiled-berry.ts";
import { hostState } from "../fixtures/host-state.ts";
import { ordinaryUser, type OrdinaryUser } from "../fixtures/ordinary-user.ts";
import { mustRun, plainEnvironment } from "../fixtures/run.ts";

/** A Debian image, baked from Debian's own packages by an ordinary user, and booted on the emulated Pi. */

const password = "correct horse 7";
const passphrase = "battery-staple-canary";
const patience = { timeout: 900_000 };
const signal = (): AbortSignal => AbortSignal.timeout(patience.timeout);

const cleanUp = new AsyncDisposableStack();
let user: OrdinaryUser;
let folder: string;
let berry: string;
let identity: string;
let bakeEvents: BakeEvent[];
let stateBefore: unknown;

beforeAll(async () => {
  user = await ordinaryUser(signal());
  const made = await user.makeFolder();
  cleanUp.use(made);
  folder = made.path;
  cleanUp.defer(async () => {
    await runBerry(["imager", "clean", "--all", "--cache-dir", join(folder, "cache")]);
  });
  berry = (await compiledBerry(signal())).path;
  identity = join(folder, "id_ed25519");
  await user.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity], {}, signal());
  await mkdir(join(folder, "secret"), { mode: 0o700 });
  await writeFile(join(folder, "secret/password"), `${password}\n`, { mode: 0o600 });
  await writeFile(join(folder, "secret/wifi"), `${passphrase}\n`, { mode: 0o600 });
  await writeFile(join(folder, "berry.toml"), clusterFile);
  for (const name of ["secret", "secret/password", "secret/wifi", "berry.toml"]) {
    await chown(join(folder, name), user.userId, user.groupId);
  }
  stateBefore = await hostState(user, signal());
  const { exitCode, stdout, stderr } = await runBerry([
    "imager",
    "bake",
    "--json",
    "--cache-dir",
    join(folder, "cache"),
  ]);
  if (exitCode !== 0)
    throw new Error(`the bake failed: ${stdout.split("\n").slice(-20).join("\n")}${stderr}`);
  bakeEvents = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as BakeEvent);
}, patience.timeout);

afterAll(async () => await cleanUp.disposeAsync(), patience.timeout);

const clusterFile = `
[cluster]
name = "e2e"
[image]
target = "debian-arm64"
timezone = "Asia/Shanghai"
locale = "en_US.UTF-8"
packages = ["htop"]
[user]
name = "chaney"
password_file = "secret/password"
authorized_keys = ["id_ed25519.pub"]
[wifi]
ssid = "home"
psk_file = "secret/wifi"
country = "CN"
[fan]
pin = 18
curve = [[45, 0], [50, 30], [72, 100]]
[[node]]
name = "pi1"
role = "server"
[[node]]
name = "pi2"
fan = false
`;

function runBerry(words: readonly string[]) {
  return user.run([berry, ...words], { cwd: folder }, signal());
}

function boot(machine: "raspi3b" | "virt", image: string): Promise<Machine> {
  const { emulation } = shippedTarget("debian-arm64").target;
  if (emulation === undefined) throw new Error("the target says nothing of emulation");
  return startMachine(
    {
      image,
      machine,
      emulation: {
        kernel: emulation.kernel,
        initramfs: emulation.initramfs ?? null,
        deviceTree: emulation.device_tree,
        console: emulation.console,
        cmdline: emulation.cmdline,
      },
      scratchDirectory: folder,
      instrumented: false,
    },
    { runner: commandRunner, clock: systemClock, environment: plainEnvironment("/root"), tell: () => {} },
    signal(),
  );
}

describe("a Debian image", () => {
  test("is baked by an ordinary user, who leaves the host as it was", async () => {
    expect(await hostState(user, signal())).toEqual(stateBefore as never);
    expect(bakeEvents.at(-1)?.event).toBe("baked");
    expect(bakeEvents.filter(({ event }) => event === "warned")).toEqual([]);
  });

  test("has a list of its software and a lock, which name every package with its digest", async () => {
    const lock = parseLock("berry.lock", await readFile(join(folder, "berry.lock"), "utf8"));
    const packages = lock["pi1"]?.packages ?? [];
    expect(packages.find(({ name }) => /^linux-image-6\..*-arm64$/.test(name))).toMatchObject({
      architecture: "arm64",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(packages.map(({ name }) => name)).toContain("htop");
    expect(packages.filter(({ sha256, removed }) => sha256 === null || removed)).toEqual([]);
    const { components } = JSON.parse(await readFile(join(folder, "images/pi1.cdx.json"), "utf8"));
    expect(components).toContainEqual(
      expect.objectContaining({ type: "operating-system", name: "debian", version: "13" }),
    );
    const listed = components.flatMap((each: { purl?: string; hashes?: { content: string }[] }) =>
      each.purl === undefined ? [] : [each.hashes?.[0]?.content],
    );
    expect(listed).toHaveLength(packages.length);
    expect(new Set(listed)).toEqual(new Set(packages.map(({ sha256 }) => sha256)));
  });

  test("tells the firmware of the fan, with an overlay that every device tree with a header takes", async () => {
    const { bootText, bootPaths, partitions } = await openImage(join(folder, "images/pi1.img"), signal());
    const line = "dtoverlay=pwm,pin=18,func=2\n";
    expect(await bootText("/config.txt")).toEndWith(`\n[all]\ngpio=18=op,dh\n${line}`);
    const paths = await bootPaths();
    expect(paths).toContain("/overlays/pwm.dtbo");
    const trees = paths.filter((path) => /^\/bcm(2837|2711)-.*\.dtb$/.test(path));
    expect(trees.length).toBeGreaterThan(3);
    for (const tree of trees) await applyOverlay("pi1.img", partitions[0]?.startBytes ?? 0, tree);
    const other = await openImage(join(folder, "images/pi2.img"), signal());
    expect(await other.bootText("/config.txt")).not.toContain("dtoverlay");
    expect(await other.bootPaths()).not.toContain("/overlays/pwm.dtbo");
  });

  test(
    "boots on the emulated Pi from its SD card, as the node that berry.toml describes",
    async () => {
      await using machine = await boot("raspi3b", await imageAfterFirmware());
      const shown = showConsoleOfFailure(machine);
      await machine.waitForLine(/login:/, signal());
      await logInAtTheConsole(machine);
      const ssh = sshTo(machine);
      await ssh("systemctl is-system-running --wait || true");
      expect(await ssh("hostname")).toBe("pi1");
      expect(await ssh("systemctl --failed --no-legend --plain")).toBe("");
      expect(
        await ssh(
          "systemctl is-active avahi-daemon prometheus-node-exporter systemd-networkd systemd-resolved ssh berry-fand berry-announce",
        ),
      ).toBe(Array.from({ length: 7 }, () => "active").join("\n"));
      expect(await ssh("getent ahostsv4 pi1.local | head -n 1")).toMatch(/^10\.0\.2\.15\s/);
      const response = await fetch(`http://127.0.0.1:${machine.ports.nodeExporter}/metrics`);
      const metrics = await response.text();
      for (const name of [
        "node_uname_info{",
        'node_systemd_unit_state{name="berry-announce.service",',
        "berry_build_info{",
        'berry_fan_duty_ratio{fan="fan"}',
      ])
        expect(metrics).toContain(name);
      expect(metrics).toMatch(/^berry_cpu_temperature_celsius\{sensor="cpu"\} 25/m);
      expect(metrics).toContain("\nnode_textfile_scrape_error 0\n");
      await theFanHasItsPin(ssh);
      await avahiTellsWhatItIs(ssh);
      expect(await ssh("berry --version")).toMatch(/^berry \d+\.\d+\.\d+ \(.*aarch64\)$/);
      expect(await ssh("date +%Z; locale 2>/dev/null | head -n 1")).toBe("CST\nLANG=en_US.UTF-8");
      expect(await ssh("command -v htop")).toBe("/usr/bin/htop");
      await theRootHasGrown(ssh);
      await theWifiIsConfigured(ssh);
      expect(await ssh("cat /etc/machine-id")).toMatch(/^[0-9a-f]{32}$/);
      expect(await ssh("ls /etc/ssh/ssh_host_*_key | wc -l")).not.toBe("0");
      expect(await ssh(`printf '%s\\n' '${password}' | sudo -S -p '' id -u`)).toBe("0");
      shown.passed();
    },
    patience,
  );

  test(
    "is reported well by `berry imager boot`, which does not write it",
    async () => {
      const image = join(folder, "images/pi2.img");
      const before = await digest(image);
      const { exitCode, stdout, stderr } = await runBerry([
        "imager",
        "boot",
        "pi2",
        "--machine",
        "virt",
        "--identity",
        identity,
        "--json",
      ]);
      expect(stderr).toBe("");
      const report = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
      expect(report).toMatchObject({
        event: "booted",
        ok: true,
        reasons: [],
        guest: {
          hostName: "pi2",
          systemState: "running",
          failedUnits: [],
          services: expect.arrayContaining([
            { unit: "berry-fand.service", active: "active", sub: "running" },
            { unit: "berry-announce.service", active: "active", sub: "exited" },
          ]),
        },
        ssh: { login: { state: "accepted" } },
        nodeExporter: { state: "answers" },
      });
      expect(exitCode).toBe(0);
      expect(await digest(image)).toBe(before);
    },
    patience,
  );
});

/** A device tree of the boot partition with the overlay of the fan, as the firmware applies it; its path on the host. */
async function applyOverlay(image: string, startBytes: number, tree: string): Promise<string> {
  const drive = `${join(folder, "images", image)}@@${startBytes}`;
  const place = await mkdtemp(join(folder, "tree-"));
  await mustRun(["mcopy", "-i", drive, `::${tree}`, "::/overlays/pwm.dtbo", place], {}, signal());
  const merged = join(place, "merged.dtb");
  const [base, overlay] = [join(place, tree), join(place, "pwm.dtbo")];
  await mustRun(["fdtoverlay", "-i", base, "-o", merged, overlay], {}, signal());
  return merged;
}

/** QEMU has no firmware: a copy of the image whose device tree for the Pi 3 has the overlay of config.txt already. */
async function imageAfterFirmware(): Promise<string> {
  const tree = shippedTarget("debian-arm64").target.emulation?.device_tree ?? "";
  const original = join(folder, "images/pi1.img");
  const startBytes = (await openImage(original, signal())).partitions[0]?.startBytes ?? 0;
  const merged = await applyOverlay("pi1.img", startBytes, `/${tree}`);
  const copy = join(folder, "pi1-after-firmware.img");
  await mustRun(["cp", "--sparse=always", original, copy], {}, signal());
  await mustRun(["mcopy", "-o", "-i", `${copy}@@${startBytes}`, merged, `::/${tree}`], {}, signal());
  return copy;
}

/** The kernel's PWM of the header at 25 kHz, taken by berry. */
async function theFanHasItsPin(ssh: (command: string) => Promise<string>): Promise<void> {
  const state = "cd /sys/class/pwm/pwmchip*/pwm0 && cat period enable";
  expect(await ssh(state)).toBe("40000\n1");
  expect(await ssh("systemctl show --property=StatusText --value berry-fand")).toMatch(
    /^cpu 25\.\d °C, fan \d+ %$/,
  );
}

/** The service file that avahi announces, with what the device tree and berry.toml say; QEMU gives boards no serial. */
async function avahiTellsWhatItIs(ssh: (command: string) => Promise<string>): Promise<void> {
  const service = await ssh("cat /etc/avahi/services/berry.service");
  expect(service).toContain("<type>_berry._tcp</type>");
  expect(service).toContain("<txt-record>role=server</txt-record>");
  expect(service).toMatch(/<txt-record>model=Raspberry Pi 3 Model B[^<]*<\/txt-record>/);
  expect(service).toMatch(/<txt-record>version=\d+\.\d+\.\d+[^<]*<\/txt-record>/);
}

/** What an emulated machine said last is the first thing to look at. */
function showConsoleOfFailure(machine: Machine): { passed(): void } {
  let passed = false;
  cleanUp.defer(() => {
    if (!passed) console.error(`the console's last lines:\n${machine.consoleLines.slice(-60).join("\n")}`);
  });
  return {
    passed: () => {
      passed = true;
    },
  };
}

async function logInAtTheConsole(machine: Machine): Promise<void> {
  const from = machine.consoleLines.length;
  machine.write("chaney\n");
  await machine.waitForLine(/Password:/, signal(), from);
  machine.write(`${password}\n`);
  // login throws away what is typed before the shell is there
  await machine.waitForLine(/\$\s*$/, signal(), from);
  machine.write("echo logged-in-as-$(id -un)\n");
  await machine.waitForLine(/logged-in-as-chaney/, signal(), from);
  machine.write("exit\n");
}

/** Runs a command over ssh, logged in by key, if the node shows the host key that the bake told; its output without the last line end. */
function sshTo(machine: Machine): (command: string) => Promise<string> {
  const options = [
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    `UserKnownHostsFile=${join(folder, "images/known_hosts")}`,
    "-o",
    "HostKeyAlias=pi1.local",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "BatchMode=yes",
  ];
  return async (command) => {
    const argv = [
      "ssh",
      "-i",
      identity,
      ...options,
      "-p",
      String(machine.ports.ssh),
      "chaney@127.0.0.1",
      command,
    ];
    const { stdout, stderr } = await user.run(argv, {}, signal());
    if (stderr.includes("Host key verification failed")) throw new Error(stderr);
    return stdout.trimEnd();
  };
}

async function theRootHasGrown(ssh: (command: string) => Promise<string>): Promise<void> {
  await ssh(
    "systemctl is-active --quiet berry-grow || sudo -n true; for i in $(seq 60); do test -e /var/lib/berry/grown && break; sleep 1; done",
  );
  const [partition = 0, disk = 0] = (
    await ssh("cat /sys/class/block/mmcblk*p2/size; cat /sys/class/block/mmcblk?/size")
  )
    .split("\n")
    .map(Number);
  const fileSystem = Number(await ssh("df --output=size --block-size=512 / | tail -n 1"));
  // all of the card but the boot partition and what lies before it
  expect(partition).toBe(disk - (4 + 512) * 2048);
  expect(fileSystem).toBeGreaterThan(partition * 0.9);
}

async function theWifiIsConfigured(ssh: (command: string) => Promise<string>): Promise<void> {
  const file = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf";
  const root = `printf '%s\\n' '${password}' | sudo -S -p ''`;
  expect(await ssh(`${root} stat -c '%a %U:%G' ${file}`)).toBe("600 root:root");
  const content = await ssh(`${root} cat ${file}`);
  expect(content).toMatch(/^\tpsk=[0-9a-f]{64}$/m);
  expect(content).not.toContain(passphrase);
  expect(await ssh("systemctl is-enabled wpa_supplicant@wlan0.service")).toBe("enabled");
  expect(await ssh("cat /proc/cmdline")).toContain("cfg80211.ieee80211_regdom=CN");
}

async function digest(path: string): Promise<string> {
  return (await mustRun(["sha256sum", path], {}, signal())).split(" ")[0] ?? "";
}
