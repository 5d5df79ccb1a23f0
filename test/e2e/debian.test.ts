import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BakeEvent } from "../../src/imager/event.ts";
import { parseLock } from "../../src/imager/lock/parse-lock.ts";
import { shippedTarget } from "../../src/imager/targets/targets.ts";
import type { ConsoleProcess } from "../../src/imager/boot/console-process.ts";
import type { CommandResult } from "../../src/core/ports.ts";
import { commandRunner } from "../../src/system/command-runner.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { compiledBerry } from "../fixtures/compiled-berry.ts";
import { hostState } from "../fixtures/host-state.ts";
import type { MdnsLab } from "../fixtures/mdns-lab.ts";
import { ordinaryUser, type OrdinaryUser } from "../fixtures/ordinary-user.ts";
import { mustRun, plainEnvironment } from "../fixtures/run.ts";
import { bootInLab } from "./debian/boot-in-lab.ts";
import { neighbourRows, openNeighbourhood, tap } from "./debian/neighbours.ts";

/** A Debian image, baked from Debian's own packages by an ordinary user, and booted on the emulated Pi. */

const password = "correct horse 7";
const passphrase = "battery-staple-canary";
/** What the firmware of a real Pi says of its board, and the address that berry.toml gives pi1 in the lab. */
const serial = "10000000a1b2c3d4";
const address = "10.77.0.99";
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
network = { address = "${address}/24" }
[[node]]
name = "pi2"
fan = false
`;

function runBerry(words: readonly string[]) {
  return user.run([berry, ...words], { cwd: folder }, signal());
}

function boot(image: string, lab: MdnsLab): Promise<ConsoleProcess> {
  const { emulation } = shippedTarget("debian-arm64").target;
  if (emulation === undefined) throw new Error("the target says nothing of emulation");
  return bootInLab(
    {
      image,
      machine: "raspi3b",
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
    { lab, tap },
    { runner: commandRunner, clock: systemClock, environment: plainEnvironment("/root"), tell: () => {} },
    signal(),
  );
}

const mostBoots = 3;

/**
 * Boots it until it is at the login prompt with its cable in. Linux gives up a USB adapter that does not answer in time,
 * and on a host whose processors are all taken, the emulated one may not.
 */
async function bootConnected(image: string, lab: MdnsLab, nth = 1): Promise<ConsoleProcess> {
  const connects = `for i in $(seq 40); do timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/22' && exit; sleep 1; done; exit 1`;
  await using undo = new AsyncDisposableStack();
  const machine = undo.use(await boot(image, lab));
  await machine.waitForLine(/login:/, signal());
  const { exitCode } = await lab.run("viewer", ["sh", "-c", connects], {}, signal());
  if (exitCode !== 0 && nth < mostBoots) {
    await undo.disposeAsync();
    return await bootConnected(image, lab, nth + 1);
  }
  undo.move();
  return machine;
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
      await using lab = await openNeighbourhood(signal());
      await using machine = await bootConnected(await imageAfterFirmware(), lab);
      const shown = showConsoleOfFailure(machine);
      await logInAtTheConsole(machine);
      const beside = (argv: readonly string[]) => lab.run("viewer", user.argv(argv, {}), {}, signal());
      const probe = async (...words: readonly string[]) =>
        await beside([berry, "probe", "--file", join(folder, "berry.toml"), ...words]);
      const ssh = sshFrom(beside);
      await ssh("systemctl is-system-running --wait || true");
      expect(await ssh("hostname")).toBe("pi1");
      expect(await ssh("systemctl --failed --no-legend --plain")).toBe("");
      expect(
        await ssh(
          "systemctl is-active avahi-daemon prometheus-node-exporter systemd-networkd systemd-resolved ssh berry-fand berry-announce",
        ),
      ).toBe(Array.from({ length: 7 }, () => "active").join("\n"));
      expect(await ssh("getent ahostsv4 pi1.local | head -n 1")).toStartWith(`${address} `);
      const metrics = await theMetrics(lab);
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
      await probeFindsItAmongItsNeighbours(probe, ssh);
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

/** QEMU has no firmware: a copy of the image whose device tree for the Pi 3 has the board's serial and the overlay of config.txt already. */
async function imageAfterFirmware(): Promise<string> {
  const tree = shippedTarget("debian-arm64").target.emulation?.device_tree ?? "";
  const original = join(folder, "images/pi1.img");
  const startBytes = (await openImage(original, signal())).partitions[0]?.startBytes ?? 0;
  const merged = await applyOverlay("pi1.img", startBytes, `/${tree}`);
  await mustRun(["fdtput", "-t", "s", merged, "/", "serial-number", serial], {}, signal());
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

/** The service file that avahi announces, with what the device tree and berry.toml say. */
async function avahiTellsWhatItIs(ssh: (command: string) => Promise<string>): Promise<void> {
  const service = await ssh("cat /etc/avahi/services/berry.service");
  expect(service).toContain("<type>_berry._tcp</type>");
  expect(service).toContain("<txt-record>role=server</txt-record>");
  expect(service).toContain(`<txt-record>serial=${serial}</txt-record>`);
  expect(service).toMatch(/<txt-record>model=Raspberry Pi 3 Model B[^<]*<\/txt-record>/);
  expect(service).toMatch(/<txt-record>version=\d+\.\d+\.\d+[^<]*<\/txt-record>/);
}

/** What an emulated machine said last is the first thing to look at. */
function showConsoleOfFailure(machine: ConsoleProcess): { passed(): void } {
  let passed = false;
  cleanUp.defer(() => {
    if (!passed) console.error(`the console's last lines:\n${machine.lines.slice(-60).join("\n")}`);
  });
  return {
    passed: () => {
      passed = true;
    },
  };
}

async function logInAtTheConsole(machine: ConsoleProcess): Promise<void> {
  const from = machine.lines.length;
  machine.write("chaney\n");
  await machine.waitForLine(/Password:/, signal(), from);
  machine.write(`${password}\n`);
  // login throws away what is typed before the shell is there
  await machine.waitForLine(/\$\s*$/, signal(), from);
  machine.write("echo logged-in-as-$(id -un)\n");
  await machine.waitForLine(/logged-in-as-chaney/, signal(), from);
  machine.write("exit\n");
}

type Run = (argv: readonly string[]) => Promise<CommandResult>;

/** Runs a command over ssh, logged in by key, if the node shows the host key that the bake told; its output without the last line end. */
function sshFrom(beside: Run): (command: string) => Promise<string> {
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
    // one a second: the USB adapter comes after the login prompt
    "-o",
    "ConnectionAttempts=300",
  ];
  return async (command) => {
    const { stdout, stderr } = await beside([
      "ssh",
      "-i",
      identity,
      ...options,
      `chaney@${address}`,
      command,
    ]);
    if (stderr.includes("Host key verification failed")) throw new Error(stderr);
    return stdout.trimEnd();
  };
}

async function theMetrics(lab: MdnsLab): Promise<string> {
  const fetching = `process.stdout.write(await (await fetch("http://${address}:9100/metrics")).text())`;
  const { stdout } = await lab.run("viewer", [process.execPath, "-e", fetching], {}, signal());
  return stdout;
}

interface Told {
  readonly name: string;
  readonly state: string;
}

/** One row of what somebody sees who looks from the same network; the other rows are those of its neighbours. */
async function probeFindsItAmongItsNeighbours(
  probe: (...words: readonly string[]) => Promise<CommandResult>,
  ssh: (command: string) => Promise<string>,
): Promise<void> {
  const celsius = Number(await ssh("cat /sys/class/thermal/thermal_zone0/temp")) / 1000;
  expect(celsius).toBeWithin(25, 26);
  const [, version] = /^berry (\S+) /.exec(await ssh("berry --version")) ?? [];
  const row = {
    name: "pi1",
    state: "alive",
    host: "pi1",
    addresses: expect.arrayContaining([{ address, family: 4, interface: "lan0" }]),
    port: 9100,
    serial,
    model: expect.stringMatching(/^Raspberry Pi 3 Model B/),
    role: "server",
    version,
    temperature_celsius: celsius,
    warnings: [],
  };
  const look = async (...words: readonly string[]) => {
    for (;;) {
      const { exitCode, stdout, stderr } = await probe("-o", "json", ...words);
      const rows: readonly Told[] = JSON.parse(stdout);
      // on a busy machine even what berry reads may take more than a second: then it counts as dead
      if (rows.some(({ name, state }) => name === "pi1" && state === "alive"))
        return { exitCode, rows, stderr };
    }
  };
  const awaited = await probe("--expect", "1", "--timeout", "10min", "-o", "names");
  expect([awaited.exitCode, awaited.stdout]).toEqual([0, expect.stringMatching(/^pi1$/m)]);
  const { exitCode, rows, stderr } = await look();
  const around = neighbourRows.map((each) => ({
    ...each,
    addresses: expect.arrayContaining([...each.addresses]),
  }));
  expect(rows).toMatchObject([...around.slice(0, 1), row, ...around.slice(1)] as never);
  expect([exitCode, stderr.split("\n")[0]]).toEqual([1, "error: not well: pi2 (dead)"]);
  // without berry.toml its name, its model and its role are what it says itself
  const { rows: told } = await look("--no-cluster", "--filter", "name==pi1");
  expect(told).toMatchObject([row] as never);
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
