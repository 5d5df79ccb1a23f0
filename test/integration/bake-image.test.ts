import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { type BakedImage, openImage } from "../fixtures/baked-image.ts";
import { type Bakery, type BakeRun, openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { hostState, type HostState } from "../fixtures/host-state.ts";
import { readMergedTree } from "../fixtures/merged-tree.ts";
import { netRawCapability, oddFolder } from "../fixtures/odd-entries.ts";
import { mustRun } from "../fixtures/run.ts";
import { compareTrees, type TreeEntry } from "../fixtures/tree-entry.ts";

const patience = 120_000;
const signal = () => AbortSignal.timeout(patience);

const secrets = { password: "Korrekt-Pferd-Batterie-7", passphrase: "Heftklammer-Erdbeere-42" };
const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4mq7K9pQ0V5mZ3JxqB8G7Yd3vH2sPQwF1rT6uLkXyz chaney@laptop";
const nodes = [
  'name = "pi1"',
  'name = "pi2"\nnetwork = { address = ["192.168.7.12/24", "fd00:7::12/64"], gateway = "192.168.7.1", dns = ["192.168.7.1", "9.9.9.9"] }\nwifi = false\nfan = { mode = "on-off" }',
  'name = "pi3"\nrole = "server"',
  'name = "pi4"',
  'name = "pi5"',
];

let bakery: Bakery;
let before: HostState;
let after: HostState;
let run: BakeRun;
let sampled: string;
const images = new Map<string, BakedImage>();

const image = (name: string): BakedImage => {
  const found = images.get(name);
  if (found === undefined) throw new Error(`no image of ${name}`);
  return found;
};

beforeAll(async () => {
  const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
  bakery = await openBakery(fixture, signal());
  await bakery.write("password", `${secrets.password}\n`, 0o600);
  await bakery.write("wifi", `${secrets.passphrase}\n`, 0o600);
  await bakery.write("motd", "strawberries\n");
  await bakery.write("token", "for root alone\n", 0o600);
  await bakery.write(
    "script.sh",
    `#!/bin/sh
set -e
{
  echo "machine $(uname -m)"
  echo "id $(id -u)"
  echo "charmap $(LC_ALL=en_US.UTF-8 locale charmap)"
  echo "null $(echo gone >/dev/null; echo writable)"
} >/var/lib/script-ran
`,
    0o755,
  );
  const text = clusterText({
    image: `timezone = "Asia/Shanghai"
locale = "en_US.UTF-8"
keymap = "de-latin1"
packages = ["vim", "htop"]
services = ["sshd"]
script = "script.sh"
config_txt = ["dtparam=spi=on"]
cmdline = ["cgroup_enable=memory"]
files = [
  { source = "motd", path = "/etc/motd", owner = "chaney", group = "wheel", mode = "0640" },
  { source = "token", path = "/etc/token", mode = "0600", secret = true },
]`,
    user: `name = "chaney"
password_file = "password"
authorized_keys = ["${publicKey}"]
groups = ["video", "gardeners"]`,
    tables: `[wifi]
ssid = "Erdbeerfeld"
psk_file = "wifi"
country = "DE"
[fan]
pin = 18
mode = "pwm"`,
    nodes,
  });
  await bakery.write("berry.toml", text);
  before = await hostState(bakery.user, signal());
  const running = bakery.start(["--verbose"]);
  sampled = await sampleProcesses(bakery, running.finished);
  run = await running.finished;
  after = await hostState(bakery.user, signal());
  if (run.exitCode !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  for (const name of ["pi1", "pi2", "pi3", "pi4", "pi5"])
    images.set(name, await openImage(join(bakery.folder, "images", `${name}.img`), signal()));
}, 700_000);

afterAll(() => bakery?.[Symbol.asyncDispose]());

/** The image that all nodes share. */
async function openPacked(): Promise<BakedImage> {
  const layers = join(bakery.cache, "layers");
  const name = (await readdir(layers)).find((one) => one.startsWith("image-")) ?? "";
  return await openImage(join(layers, name, "disk.img"), signal());
}

/** Command lines and environments of the user's processes, as often as they can be looked at until `end`. */
async function sampleProcesses({ user }: Bakery, end: Promise<unknown>): Promise<string> {
  const seen = new Set<string>();
  const ended = new AbortController();
  const stop = () => ended.abort();
  end.then(stop, stop);
  while (!ended.signal.aborted) {
    for (const id of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const owner = (await lstat(`/proc/${id}`).catch(() => null))?.uid ?? -1;
      if (!user.ownIds.some(([first, count]) => owner >= first && owner < first + count)) continue;
      for (const file of ["cmdline", "environ"])
        seen.add(await readFile(`/proc/${id}/${file}`, "latin1").catch(() => ""));
    }
    // leave the bake some of the processor
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return [...seen].join("\n");
}

/** How often each of the needles occurs in a file. */
async function occurrences(path: string, needles: readonly Buffer[]): Promise<number[]> {
  const counts = needles.map(() => 0);
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 8 * 1024 * 1024 })) {
    const bytes = Buffer.concat([rest, chunk as Uint8Array]);
    for (const [index, needle] of needles.entries()) {
      // what ends in the overlap was counted with the chunk before
      let at = bytes.indexOf(needle, Math.max(0, rest.length - needle.length + 1));
      for (; at !== -1; at = bytes.indexOf(needle, at + 1)) counts[index] = (counts[index] ?? 0) + 1;
    }
    rest = Buffer.from(bytes.subarray(Math.max(0, bytes.length - overlap)));
  }
  return counts;
}

/** The spellings in which a secret may leak. */
function spellings(secret: string): Buffer[] {
  const utf8 = Buffer.from(secret);
  const base64 = utf8.toString("base64").replace(/=+$/, "");
  return [
    utf8,
    Buffer.from(secret, "utf16le"),
    Buffer.from(secret, "utf16le").swap16(),
    Buffer.from(utf8.toString("hex")),
    Buffer.from(utf8.toString("hex").toUpperCase()),
    // the last letters depend on what follows
    Buffer.from(base64.slice(0, -2)),
    Buffer.from(utf8.toString("base64url").slice(0, -2)),
  ];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("a bake by an ordinary user", () => {
  test("makes an image for every node that nobody else can read", async () => {
    const names = (await readdir(join(bakery.folder, "images"))).filter(
      (name) => !name.endsWith(".cdx.json"),
    );
    expect(names.toSorted()).toEqual(["known_hosts", "pi1.img", "pi2.img", "pi3.img", "pi4.img", "pi5.img"]);
    const folder = await lstat(join(bakery.folder, "images"));
    expect((folder.mode & 0o7777).toString(8)).toBe("700");
    for (const { path } of images.values()) {
      const { mode, uid } = await lstat(path);
      expect((mode & 0o7777).toString(8)).toBe("600");
      expect(uid).toBe(bakery.user.userId);
    }
    const told = run.events.flatMap((event) => (event.event === "image" ? [event] : []));
    expect(told.map(({ node }) => node).toSorted()).toEqual(["pi1", "pi2", "pi3", "pi4", "pi5"]);
    for (const { path, sizeBytes, mappedBytes } of told) {
      const { size, blocks } = await lstat(path);
      expect([sizeBytes, mappedBytes]).toEqual([size, blocks * 512]);
      expect(mappedBytes).toBeLessThan(sizeBytes);
    }
  });

  test("leaves binfmt_misc, mounts, loop devices and processes of the host as they were", () => {
    expect(after).toEqual(before);
  });

  test("warns of nothing", () => {
    expect(run.events.filter(({ event }) => event === "warned")).toEqual([]);
    expect(run.stderr).toBe("berry.lock says what is in the images\n");
  });
});

describe("an image of Arch Linux ARM", () => {
  test("has an MBR with a FAT and an ext4 partition on whole erase blocks", () => {
    const { label, partitions } = image("pi1");
    expect(label).toBe("dos");
    expect(partitions.map(({ type }) => type)).toEqual(["c", "83"]);
    for (const { startBytes, sizeBytes } of partitions) {
      expect(startBytes % (4 * 1024 * 1024)).toBe(0);
      expect(sizeBytes % (4 * 1024 * 1024)).toBe(0);
    }
  });

  test("finds its partitions by the disk's signature", async () => {
    const { diskSignature, text, bootText } = image("pi1");
    expect(await text("/etc/fstab")).toBe(
      `PARTUUID=${diskSignature}-02 / ext4 defaults,noatime 0 1\nPARTUUID=${diskSignature}-01 /boot vfat defaults,noatime,umask=0077,nofail 0 2\n`,
    );
    const words = (await bootText("/cmdline.txt")).trimEnd().split(" ");
    expect(words).toContain(`root=PARTUUID=${diskSignature}-02`);
    expect(words).toContain("rootwait");
    expect(words).toContain("console=serial0,115200");
    expect(words).toContain("cgroup_enable=memory");
    expect(words).toContain("cfg80211.ieee80211_regdom=DE");
    expect((await bootText("/cmdline.txt")).trimEnd()).not.toContain("\n");
    expect(await bootText("/config.txt")).toEndWith(
      "\n[all]\ndtparam=spi=on\n[all]\ngpio=18=op,dh\ndtparam=audio=off\ndtoverlay=pwm,pin=18,func=2\n",
    );
    expect(await image("pi2").bootText("/config.txt")).toEndWith(
      "\n[all]\ndtparam=spi=on\n[all]\ngpio=18=op,dh\ndtoverlay=gpio-fan,gpiopin=18,temp=75000\n",
    );
  });

  test("is called by its node's name", async () => {
    expect(await image("pi2").text("/etc/hostname")).toBe("pi2\n");
    expect(await image("pi2").text("/etc/hosts")).toContain("127.0.1.1 pi2\n");
  });

  test("has the user, and neither alarm nor a root who can log in", async () => {
    const { text, root } = image("pi1");
    const entries = await root();
    const passwd = (await text("/etc/passwd")) ?? "";
    expect(passwd).not.toContain("alarm");
    expect(passwd).toMatch(/^chaney:x:1000:1000::\/home\/chaney:\/bin\/bash$/m);
    expect(entries.some(({ path }) => path === "/home/alarm")).toBe(false);
    const shadow = (await text("/etc/shadow")) ?? "";
    expect(shadow).toMatch(/^root:!\*:/m);
    const [, hash = "", salt = ""] = /^chaney:(\$6\$([^$]+)\$[^:]+):/m.exec(shadow) ?? [];
    const expected = await mustRun(
      ["openssl", "passwd", "-6", "-salt", salt, "-stdin"],
      { stdin: `${secrets.password}\n` },
      signal(),
    );
    expect(hash).toBe(expected.trim());
    const groups = (await text("/etc/group")) ?? "";
    for (const group of ["wheel", "video", "gardeners"])
      expect(groups).toMatch(new RegExp(`^${group}:x:\\d+:chaney$`, "m"));
  });

  test.each([
    ["/etc/sudoers.d/10-berry", "file", "0440", 0, 0],
    ["/home/chaney", "directory", "0700", 1000, 1000],
    ["/home/chaney/.ssh", "directory", "0700", 1000, 1000],
    ["/home/chaney/.ssh/authorized_keys", "file", "0600", 1000, 1000],
    ["/etc/shadow", "file", "0600", 0, 0],
    ["/etc/ssh/sshd_config.d/10-berry.conf", "file", "0644", 0, 0],
    ["/etc/wpa_supplicant/wpa_supplicant-wlan0.conf", "file", "0600", 0, 0],
    ["/etc/motd", "file", "0640", 1000, 998],
    ["/etc/token", "file", "0600", 0, 0],
    ["/etc/ssh/ssh_host_ed25519_key", "file", "0600", 0, 0],
    ["/etc/ssh/ssh_host_ed25519_key.pub", "file", "0644", 0, 0],
    ["/etc/machine-id", "file", "0444", 0, 0],
    ["/usr/bin/berry", "file", "0755", 0, 0],
    ["/usr/lib/berry/grow", "file", "0755", 0, 0],
    ["/usr/lib/berry/fand-failsafe", "file", "0755", 0, 0],
    ["/usr/lib/systemd/system/berry-fand.service", "file", "0644", 0, 0],
    ["/usr/lib/systemd/system/prometheus-node-exporter.service.d/10-berry.conf", "file", "0644", 0, 0],
    ["/etc/berry/fand.toml", "file", "0644", 0, 0],
    ["/etc/berry/node.toml", "file", "0644", 0, 0],
  ] as const)("%s is a %s of mode %s", async (path, type, mode, uid, gid) => {
    const entry = (await image("pi1").root()).find((one) => one.path === path);
    expect(entry).toMatchObject({ type, mode, uid, gid });
  });

  test("has the files that berry.toml asks for", async () => {
    const { text } = image("pi1");
    expect(await text("/etc/sudoers.d/10-berry")).toBe("chaney ALL=(ALL:ALL) ALL\n");
    expect(await text("/home/chaney/.ssh/authorized_keys")).toBe(`${publicKey}\n`);
    expect(await text("/etc/ssh/sshd_config.d/10-berry.conf")).toContain("PermitRootLogin no");
    expect(await text("/etc/motd")).toBe("strawberries\n");
    expect(await text("/etc/token")).toBe("for root alone\n");
    expect(await text("/etc/locale.conf")).toBe("LANG=en_US.UTF-8\n");
    expect(await text("/etc/vconsole.conf")).toBe("KEYMAP=de-latin1\n");
    expect(await text("/etc/berry/fand.toml")).toEndWith('\npin = 18\nmode = "pwm"\n');
    expect(await image("pi2").text("/etc/berry/fand.toml")).toEndWith('\npin = 18\nmode = "on-off"\n');
    expect(await text("/etc/berry/node.toml")).toBe('role = "node"\n');
    expect(await image("pi3").text("/etc/berry/node.toml")).toBe('role = "server"\n');
  });

  test("has links where the system looks for its zone, its name servers and its services", async () => {
    const entries = await image("pi1").root();
    const target = (path: string) => entries.find((entry) => entry.path === path)?.target;
    expect(target("/etc/localtime")).toBe("/usr/share/zoneinfo/Asia/Shanghai");
    expect(entries.some(({ path }) => path === "/usr/share/zoneinfo/Asia/Shanghai")).toBe(true);
    expect(target("/etc/resolv.conf")).toBe("../run/systemd/resolve/stub-resolv.conf");
    const wanted = "/etc/systemd/system/multi-user.target.wants";
    for (const unit of [
      "systemd-networkd",
      "sshd",
      "avahi-daemon",
      "prometheus-node-exporter",
      "berry-grow",
      "berry-host-keys",
      "berry-pacman-key",
      "berry-fand",
      "berry-announce",
    ]) {
      expect(target(`${wanted}/${unit}.service`)).toEndWith(`/systemd/system/${unit}.service`);
      expect(entries.some(({ path }) => path === `/usr/lib/systemd/system/${unit}.service`)).toBe(true);
    }
    expect(target("/etc/systemd/system/dbus-org.freedesktop.resolve1.service")).toEndWith(
      "systemd-resolved.service",
    );
    expect(await image("pi1").text("/etc/nsswitch.conf")).toMatch(
      /^hosts: .*mdns_minimal \[NOTFOUND=return\]/m,
    );
    expect((await image("pi1").text("/etc/nsswitch.conf"))?.match(/^hosts:/gm)).toHaveLength(1);
  });

  test("has a wired network by DHCP, or with the addresses of its node", async () => {
    const wired = "/etc/systemd/network/20-wired.network";
    expect(await image("pi1").text(wired)).toContain("[Network]\nDHCP=yes\n");
    const fixed = await image("pi2").text(wired);
    expect(fixed).toContain(
      "[Network]\nAddress=192.168.7.12/24\nAddress=fd00:7::12/64\nGateway=192.168.7.1\nDNS=192.168.7.1\nDNS=9.9.9.9\n",
    );
    expect(fixed).not.toContain("DHCP=yes");
  });

  test("has the derived key of the wireless network, and only where the node has one", async () => {
    const file = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf";
    const conf = (await image("pi1").text(file)) ?? "";
    const derived = new Uint8Array(
      await crypto.subtle.deriveBits(
        { name: "PBKDF2", hash: "SHA-1", salt: new TextEncoder().encode("Erdbeerfeld"), iterations: 4096 },
        await crypto.subtle.importKey("raw", new TextEncoder().encode(secrets.passphrase), "PBKDF2", false, [
          "deriveBits",
        ]),
        256,
      ),
    );
    expect(conf).toContain(`\tpsk=${derived.toHex()}\n`);
    expect(conf).toContain(`\tssid=${Buffer.from("Erdbeerfeld").toString("hex")}\n`);
    expect(conf).toContain("country=DE\n");
    expect(await image("pi2").text(file)).toBeNull();
  });

  test("has the Foundation's kernel in place of the tarball's, and ran scriptlets and hooks as arm64", async () => {
    const { root, text, bootPaths } = image("pi1");
    const installed = (await root()).flatMap(
      ({ path }) => /^\/var\/lib\/pacman\/local\/(.+)-[^-]+-[^-/]+$/.exec(path)?.[1] ?? [],
    );
    for (const name of [
      "linux-rpi",
      "raspberrypi-bootloader",
      "sudo",
      "avahi",
      "wpa_supplicant",
      "vim",
      "htop",
    ])
      expect(installed).toContain(name);
    for (const name of ["linux-aarch64", "uboot-raspberrypi"]) expect(installed).not.toContain(name);
    expect(await bootPaths()).toEqual(
      expect.arrayContaining([
        "/kernel8.img",
        "/start4.elf",
        "/bcm2711-rpi-4-b.dtb",
        "/overlays/pwm-fan.dtbo",
      ]),
    );
    expect(await bootPaths()).not.toContain("/Image");
    expect(await text("/var/log/berry-scriptlets")).toContain("linux-rpi post_install on aarch64\n");
    expect(await text("/var/log/berry-hooks")).toContain("hook sysusers on aarch64\n");
  });

  test("was shaped by the user's script, which ran as root on arm64 with the locale in place", async () => {
    expect(await image("pi1").text("/var/lib/script-ran")).toBe(
      "machine aarch64\nid 0\ncharmap UTF-8\nnull writable\n",
    );
  });

  test("has berry for arm64", async () => {
    const entry = (await image("pi1").root()).find(({ path }) => path === "/usr/bin/berry");
    const expected = new Bun.CryptoHasher("sha256")
      .update(await Bun.file(bakery.berry.forImages).bytes())
      .digest("hex");
    expect(entry?.sha256).toBe(expected);
  });

  test("holds nothing that a node must make for itself, and nothing that was needed to bake alone", async () => {
    for (const { text } of images.values()) expect(await text("/etc/machine-id")).toBe("");
    for (const { root } of [image("pi1"), image("pi2")]) {
      const paths = (await root()).map(({ path }) => path);
      for (const gone of [
        /^\/etc\/ssh\/ssh_host_(?!ed25519_key(\.pub)?$)/,
        /^\/etc\/pacman\.d\/gnupg/,
        /^\/var\/cache\/pacman\/pkg\/./,
        /^\/var\/lib\/pacman\/sync\/./,
        /^\/var\/lib\/systemd\/random-seed$/,
        /^\/var\/log\/pacman\.log$/,
        /^\/(?:run|tmp|dev|proc|sys|boot)\/./,
        /berry-new$/,
        /berry-script$/,
        /\/db\.lck$/,
      ])
        expect(paths.filter((path) => gone.test(path))).toEqual([]);
    }
  });

  test(
    "passes the checks of both file systems, before and after it was given to a node",
    async () => {
      for (const one of [await openPacked(), image("pi1"), image("pi2")])
        expect(await one.complaints()).toEqual([]);
    },
    patience,
  );
});

/** What nodeSteps of this cluster write; folders change their time when something in them does. */
const ownFiles = [
  "/etc",
  "/etc/berry",
  "/etc/berry/fand.toml",
  "/etc/berry/node.toml",
  "/etc/fstab",
  "/etc/hostname",
  "/etc/hosts",
  "/etc/shadow",
  "/etc/ssh",
  "/etc/ssh/ssh_host_ed25519_key",
  "/etc/ssh/ssh_host_ed25519_key.pub",
  "/etc/systemd/network",
  "/etc/systemd/network/20-wired.network",
  "/etc/systemd/network/25-wireless.network",
  "/etc/systemd/system",
  "/etc/systemd/system/sys-subsystem-net-devices-wlan0.device.wants",
  "/etc/systemd/system/sys-subsystem-net-devices-wlan0.device.wants/wpa_supplicant@wlan0.service",
  "/etc/token",
  "/etc/wpa_supplicant",
  "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf",
];

describe("the root partition", () => {
  let merged: readonly TreeEntry[];
  let packed: readonly TreeEntry[];
  // the boot partition covers /boot; mke2fs makes lost+found in /
  const options = { except: ["/boot"], ignoreTimes: ["/"] };

  beforeAll(async () => {
    merged = await readMergedTree(bakery, signal());
    packed = await (await openPacked()).root();
  }, patience);

  test("is the very tree that the layers make: owners, modes, attributes, links, holes, times and content", () => {
    expect(merged.length).toBeGreaterThan(2000);
    expect(compareTrees(merged, packed, options)).toEqual([]);
    expect(packed.find(({ path }) => path === "/boot")).toMatchObject({
      type: "directory",
      mode: "0755",
      uid: 0,
      gid: 0,
    });
  });

  test("keeps what unpacking and packing may lose", async () => {
    for (const entries of [packed, await image("pi1").root()]) {
      const odd = (name: string) => entries.find(({ path }) => path === `/${oddFolder}/${name}`);
      expect(entries.find(({ path }) => path === "/usr/bin/ping")?.xattrs).toEqual({
        "security.capability": netRawCapability.toHex(),
      });
      expect(odd("setuid")).toMatchObject({ mode: "4755", uid: 0 });
      expect(odd("setgid-sticky")).toMatchObject({ type: "directory", mode: "3775", gid: 998 });
      expect(odd("owner-65534-65534")).toMatchObject({ uid: 65_534, gid: 65_534 });
      expect(odd("hardlink-b")?.hardLinkOf).toBe(`/${oddFolder}/below/hardlink-c`);
      expect(odd("link-long")?.target).toHaveLength(207);
      expect(odd("attributed")?.xattrs).toEqual({
        "user.berry": "7374726177",
        "user.binary": "000102ff225c",
      });
      expect(odd("Größe-名前-🍓")?.size).toBe(6);
      expect(odd("sparse")).toMatchObject({ size: 64 * 1024 * 1024 });
      expect(odd("sparse")?.allocatedBytes).toBeLessThan(100_000);
    }
  });

  test("of a node differs from it by the node's own files alone", async () => {
    const differences = compareTrees(packed, await image("pi1").root(), options);
    const paths = [...new Set(differences.map((line) => line.slice(0, line.indexOf(": "))))];
    expect(paths.filter((path) => !ownFiles.includes(path))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(["/etc/hostname", "/etc/shadow", "/etc/token"]));
    const notTimes = differences.filter((line) => !line.includes(": mtime "));
    for (const folder of ["/etc", "/etc/systemd/network"])
      expect(notTimes.filter((line) => line.startsWith(`${folder}: `))).toEqual([]);
  });
});

test("every image is a disk of its own", () => {
  for (const key of ["diskSignature", "bootVolumeId", "rootUuid"] as const) {
    const found = [...images.values()].map((one) => one[key]);
    expect(new Set(found).size).toBe(5);
    for (const value of found) expect(value).toMatch(/^[0-9a-fA-F-]{8,36}$/);
    expect(found).not.toContain("00000000");
  }
});

describe("secrets", () => {
  let needles: Buffer[];
  let hash: string;
  let psk: string;

  beforeAll(async () => {
    needles = [secrets.password, secrets.passphrase].flatMap(spellings);
    hash = /^chaney:([^:]+):/m.exec((await image("pi1").text("/etc/shadow")) ?? "")?.[1] ?? "";
    psk =
      /psk=([0-9a-f]{64})/.exec(
        (await image("pi1").text("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf")) ?? "",
      )?.[1] ?? "";
  });

  test(
    "occur nowhere in an image; what is derived of them occurs where it belongs and nowhere else",
    async () => {
      const derived = [Buffer.from(hash), Buffer.from(psk)];
      const counts = await occurrences(image("pi1").path, [...needles, ...derived]);
      expect(counts.slice(0, needles.length)).toEqual(needles.map(() => 0));
      expect(counts.slice(needles.length)).toEqual([1, 1]);
    },
    patience,
  );

  test(
    "occur nowhere in the cache, nor does what is derived of them",
    async () => {
      const forbidden = [...needles, ...spellings(hash), ...spellings(psk)];
      const files = await filesBelow(bakery.cache);
      expect(files.length).toBeGreaterThan(1000);
      const found = [];
      for (const file of files)
        if ((await occurrences(file, forbidden)).some((count) => count > 0)) found.push(file);
      expect(found).toEqual([]);
    },
    patience,
  );

  test("occur nowhere in events, output, command lines and environments", () => {
    expect(sampled).toContain("chpasswd");
    expect(run.events.some(({ event }) => event === "output")).toBe(true);
    for (const secret of [secrets.password, secrets.passphrase, hash, psk]) {
      for (const spelling of spellings(secret)) {
        for (const text of [run.stdout, run.stderr, sampled])
          expect(Buffer.from(text, "latin1").includes(spelling)).toBe(false);
      }
    }
  });
});

describe("the private half of a host key", () => {
  /** A line of its body, without those that all such files begin and end with. */
  const needleOf = async (node: string): Promise<Buffer> => {
    const path = join(bakery.folder, "secret/host-keys", node, "ssh_host_ed25519_key");
    return Buffer.from((await readFile(path, "utf8")).split("\n")[4] ?? "");
  };

  test(
    "occurs in the image of its own node alone",
    async () => {
      const needles = [await needleOf("pi1"), await needleOf("pi2")];
      for (const needle of needles) expect(needle.length).toBeGreaterThan(60);
      expect(await occurrences(image("pi1").path, needles)).toEqual([1, 0]);
      expect(await occurrences(image("pi2").path, needles)).toEqual([0, 1]);
      const found = [];
      for (const file of await filesBelow(bakery.cache))
        if ((await occurrences(file, needles)).some((count) => count > 0)) found.push(file);
      expect(found).toEqual([]);
    },
    patience,
  );

  test("occurs nowhere in events, output, command lines and environments", async () => {
    for (const node of images.keys()) {
      const needle = await needleOf(node);
      for (const text of [run.stdout, run.stderr, sampled])
        expect(Buffer.from(text, "latin1").includes(needle)).toBe(false);
    }
  });
});

test("the cache is closed to everybody else", async () => {
  expect(((await lstat(bakery.cache)).mode & 0o077).toString(8)).toBe("0");
});
