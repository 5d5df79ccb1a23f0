import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type MdnsLab, openLab } from "../../fixtures/mdns-lab.ts";

const berry = `${process.execPath} ${resolve(import.meta.dir, "../../../src/main.ts")}`;
const seconds = 60;
const signal = () => AbortSignal.timeout(seconds * 1000);
const longName = `pi-${"x".repeat(60)}`;

let lab: MdnsLab;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-announce-"));
  const nodes = [
    { name: "pi1", subnet: 0, number: 11 },
    { name: "long", subnet: 0, number: 12 },
  ];
  lab = await openLab({ subnets: 1, nodes }, signal());
  await startAvahi("viewer", "viewer", "Server startup complete");
}, seconds * 1000);
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Lines of the daemon of a place, as they come. */
const said = new Map<string, string[]>();
const heard = new Map<string, () => void>();

async function hears(place: string, words: string, count = 1): Promise<void> {
  const times = () => (said.get(place) ?? []).filter((line) => line.includes(words)).length;
  while (times() < count) {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    heard.set(place, wake);
    // oxlint-disable-next-line no-await-in-loop
    await promise;
  }
}

/** avahi-daemon on a bus of its own; its services are those of a folder of the test. */
async function startAvahi(place: string, hostName: string, words: string): Promise<void> {
  await mkdir(join(folder, place), { recursive: true });
  const script = `mount -t tmpfs tmpfs /run/avahi-daemon
mount -t tmpfs tmpfs /etc/avahi
mkdir /etc/avahi/services
mount --bind ${join(folder, place)} /etc/avahi/services
printf '[server]\\nhost-name=${hostName}\\n[wide-area]\\nenable-wide-area=no\\n' >/etc/avahi/avahi-daemon.conf
cat >${join(folder, place)}.conf <<'END'
<busconfig><type>custom</type><listen>unix:path=${join(folder, place)}.bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
END
dbus-daemon --fork --config-file=${join(folder, place)}.conf
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=${join(folder, place)}.bus
exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title`;
  said.set(place, []);
  lab.spawn(place, ["sh", "-euc", script], {
    onLine: (line) => {
      said.get(place)?.push(line);
      heard.get(place)?.();
    },
  });
  await hears(place, words);
}

/** A board of which the kernel says who it is: what is in /proc here stays, beside a device tree. */
const board = `mkdir -p /run/proc
mount --bind /proc /run/proc
mount -t tmpfs tmpfs /proc
for entry in /run/proc/*; do ln -s "$entry" /proc/; done
mkdir /proc/device-tree
printf '10000000a1b2c3d4\\0' >/proc/device-tree/serial-number
printf 'Raspberry Pi <5> & Sons "Rev" 1.0\\0' >/proc/device-tree/model
`;

/** What the imager notes of a node. */
const noted = (text: string) => `mkdir -p /run/etc/new /run/etc/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/new,workdir=/run/etc/work /etc
mkdir -p /etc/berry
printf '%s' '${text}' >/etc/berry/node.toml
`;

interface Surroundings {
  readonly before?: string;
  readonly after?: string;
}

async function announce(name: string, words: string, { before = "", after = "" }: Surroundings = {}) {
  const script = `mount -t tmpfs tmpfs /run
${before}mount --bind ${join(folder, name)} /etc/avahi/services
${after}exec ${berry} probe announce ${words}`;
  const { stdout, stderr, exitCode } = await lab.run("pi1", ["sh", "-euc", script], {}, signal());
  return { stdout, stderr, exitCode };
}

/** What avahi-browse of the viewer says of an instance: port and TXT strings. */
async function browse(instance: string, expected: string): Promise<string[]> {
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(folder, "viewer")}.bus` };
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const { stdout } = await lab.run("viewer", ["avahi-browse", "-rpt", "_berry._tcp"], { env }, signal());
    const [line] = stdout
      .split("\n")
      .filter((each) => each.startsWith(`=;lan0;IPv4;${instance};`) && each.includes(expected));
    if (line !== undefined) {
      const [port = "", records = ""] = line.split(";").slice(8);
      const texts = [...records.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text);
      return [port, ...texts.map((text) => text.replaceAll(/\\(.)/g, "$1"))];
    }
  }
}

describe("berry probe announce, beside a real avahi-daemon", () => {
  test(
    "is heard on the network, at once and again when something changes",
    async () => {
      await startAvahi("pi1", "pi1", "Server startup complete");
      const first = await announce("pi1", "--role worker", { before: board });
      expect(first).toMatchObject({ exitCode: 0, stderr: "" });
      expect(first.stdout).toStartWith("wrote /etc/avahi/services/berry.service: Raspberry Pi <5> & Sons");
      await hears("pi1", 'Service "pi1" (/etc/avahi/services/berry.service) successfully established');
      const records = await browse("pi1", "role=worker");
      expect(records).toContain("9100");
      expect(records).toContain("serial=10000000a1b2c3d4");
      expect(records).toContain('model=Raspberry Pi <5> & Sons "Rev" 1.0');
      expect(records.join(" ")).toMatch(/version=\d+\.\d+\.\d+/);
      const second = { before: board + noted('role = "monitor"') };
      expect((await announce("pi1", "", second)).exitCode).toBe(0);
      expect(await browse("pi1", "role=monitor")).toContain("serial=10000000a1b2c3d4");
      const again = await announce("pi1", "", second);
      expect(again.stdout).toStartWith("unchanged: /etc/avahi/services/berry.service: ");
    },
    seconds * 1000,
  );
  test(
    "is heard of a node whose name is as long as names can be",
    async () => {
      await mkdir(join(folder, "long"));
      await announce("long", "");
      await startAvahi("long", longName, `Service "${longName}"`);
      expect(await browse(longName, "version=")).toContain("9100");
    },
    seconds * 1000,
  );
  test(
    "announces a node without its role where the note of it is broken, and says so",
    async () => {
      await mkdir(join(folder, "broken"));
      const before = noted("role = [");
      const { exitCode, stdout, stderr } = await announce("broken", "--json", { before });
      expect(JSON.parse(stdout)).toMatchObject({ role: null, serial: null, written: true });
      expect(stderr).toContain("/etc/berry/node.toml: not TOML");
      expect(exitCode).toBe(0);
    },
    seconds * 1000,
  );
  test(
    "says that it cannot write to a read-only file system, and writes nothing",
    async () => {
      await mkdir(join(folder, "frozen"));
      const frozen = "mount -o remount,ro,bind /etc/avahi/services\n";
      const { exitCode, stdout, stderr } = await announce("frozen", "", { after: frozen });
      expect({ exitCode, stdout }).toEqual({ exitCode: 73, stdout: "" });
      expect(stderr).toContain(
        "cannot write /etc/avahi/services/berry.service: the file system is read-only",
      );
      expect(await readdir(join(folder, "frozen"))).toEqual([]);
    },
    seconds * 1000,
  );
});
