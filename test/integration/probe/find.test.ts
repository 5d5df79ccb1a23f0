import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type LabNode, type LabProcess, type MdnsLab, openLab } from "../../fixtures/mdns-lab.ts";
import { servePage } from "../../fixtures/node-page.ts";

const house = resolve(import.meta.dir, "../../..");
const berry = [process.execPath, join(house, "src/main.ts")];
const { signal } = new AbortController();

const node = (number: number, changes: Partial<LabNode> = {}): LabNode => ({
  name: `n${number}`,
  hostName: `pi${number}`,
  subnet: number % 2,
  number,
  txt: [
    `serial=100000000000${String(number).padStart(4, "0")}`,
    "model=Raspberry Pi 4 Model B Rev 1.4",
    `role=${number === 1 ? "server" : "node"}`,
    "version=0.1.0",
  ],
  ...changes,
});
/** Sixteen on two networks: 13 has no page, 14 serves something else, 15 has IPv6 alone, 16 is called pi1, too. */
const nodes: readonly LabNode[] = Array.from({ length: 16 }, (_, index) => {
  const number = index + 1;
  if (number === 15) return node(number, { families: [6] });
  return node(number, number === 16 ? { hostName: "pi1", subnet: 1 } : {});
});
const celsiusOf = ({ number }: LabNode) => (number === 3 ? 82 : 40 + number);

let folder = "";
let lab: MdnsLab;
/** By the name of the namespace: its avahi, and its page. */
const processes = new Map<string, readonly LabProcess[]>();

async function start(each: LabNode): Promise<void> {
  const avahi = await lab.announce(each, signal);
  if (each.number === 13) processes.set(each.name, [avahi]);
  else {
    const words = each.number === 14 ? [] : [each.hostName, String(celsiusOf(each))];
    processes.set(each.name, [avahi, await servePage(lab, each.name, words)]);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-find-"));
  await writeFile(join(folder, "key.pub"), `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)} x\n`);
  const tables = [...Array.from({ length: 15 }, (_, index) => `pi${index + 1}`), "pi99"].map(
    (name) => `[[node]]\nname = "${name}"\nrole = "${name === "pi1" ? "server" : "node"}"\n`,
  );
  await writeFile(
    join(folder, "berry.toml"),
    `[cluster]\nname = "berry"\n[user]\nname = "chaney"\nauthorized_keys = ["key.pub"]\nsudo = "none"\n${tables.join("")}`,
  );
  lab = await openLab({ subnets: 2, nodes }, signal);
  // the first of a name keeps it
  await Promise.all(nodes.slice(0, 15).map(start));
  await start(nodes[15] ?? node(16));
}, 120_000);
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const probe = (...words: readonly string[]) =>
  lab.run("viewer", [...berry, "probe", "--file", join(folder, "berry.toml"), ...words], {}, signal);

interface Told {
  readonly name: string;
  readonly state: string;
  readonly serial: string | null;
  readonly temperature_celsius: number | null;
  readonly addresses: readonly { readonly address: string }[];
  readonly answer: { readonly why?: string } | null;
  readonly warnings: readonly string[];
}

describe("sixteen nodes on two networks", () => {
  test("are found by one look, each as it is", async () => {
    const { exitCode, stdout, stderr } = await probe("-o", "json");
    const rows = JSON.parse(stdout) as readonly Told[];
    const stateOf = (name: string) => rows.filter((row) => row.name === name).map(({ state }) => state);
    expect(rows.map(({ name }) => name)).toEqual([
      "pi1",
      "pi1-2",
      ...Array.from({ length: 14 }, (_, index) => `pi${index + 2}`),
      "pi99",
    ]);
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15])
      expect([number, ...stateOf(`pi${number}`)]).toEqual([number, "alive"]);
    expect(["pi13", "pi14", "pi99", "pi1-2"].map(stateOf)).toEqual([
      ["dead"],
      ["dead"],
      ["missing"],
      ["unknown"],
    ]);
    for (const each of nodes.slice(0, 12)) {
      const row = rows.find(({ name }) => name === each.hostName);
      expect([row?.serial, row?.temperature_celsius, row?.addresses[0]?.address]).toEqual([
        each.txt[0]?.slice("serial=".length) ?? "",
        celsiusOf(each),
        `10.77.${each.subnet}.${each.number}`,
      ]);
    }
    const why = (name: string) => rows.find((row) => row.name === name)?.answer?.why;
    expect([why("pi13"), why("pi14")]).toEqual(["nobody listens there", "answers, but is not node_exporter"]);
    expect(rows.slice(0, 2).map(({ warnings }) => warnings)).toEqual([
      ["another board calls itself pi1, too: serial 1000000000000016"],
      ["another board calls itself pi1, too: serial 1000000000000001"],
    ]);
    expect(stderr).toContain("error: not well: pi3 (critical), pi13 (dead), pi14 (dead), pi99 (missing)");
    expect(exitCode).toBe(1);
  });
  test("are enough when as many live as are expected", async () => {
    const enough = await probe("--expect", "13", "-o", "names");
    expect([enough.exitCode, enough.stderr.includes("error")]).toEqual([0, false]);
    const tooFew = await probe("--expect", "14", "--timeout", "1500ms", "-o", "names");
    expect(tooFew.exitCode).toBe(75);
    expect(tooFew.stderr).toContain("error: 13 of 14 expected nodes live");
  });
  test("are filtered by what they say", async () => {
    const { exitCode, stdout } = await probe(
      "--no-cluster",
      "-o",
      "names",
      "--filter",
      "temp>80 && role!=server",
    );
    expect([stdout, exitCode]).toEqual(["pi3\n", 1]);
  });
  test("are followed: who is killed is dead, who is renamed stays one, and a file keeps up", async () => {
    const targets = join(folder, "nodes.json");
    const lines: Told[] = [];
    const ended = Promise.withResolvers<string>();
    const hopes = new Map<string, () => void>();
    const hope = async (name: string, state: string) => {
      const heard = Promise.withResolvers<void>();
      hopes.set(`${name} ${state}`, heard.resolve);
      if (lines.some((line) => line.name === name && line.state === state)) heard.resolve();
      await heard.promise;
    };
    const written = Promise.withResolvers<void>();
    const writer = lab.spawn(
      "viewer",
      [...berry, "probe", "--watch", "--no-cluster", "-o", "prom-sd", "--write", targets],
      {
        onLine: (line) => {
          if (line.startsWith("wrote")) written.resolve();
        },
      },
    );
    const watcher = lab.spawn("viewer", [...berry, "probe", "--watch", "--no-cluster", "-o", "ndjson"], {
      onLine: (line) => {
        if (!line.startsWith("{")) {
          ended.resolve(line);
          return;
        }
        const told = JSON.parse(line) as Told;
        lines.push(told);
        hopes.get(`${told.name} ${told.state}`)?.();
      },
    });
    await Promise.all([hope("pi12", "alive"), hope("pi11", "alive"), written.promise]);
    for (const child of processes.get("n12") ?? []) child.kill("SIGKILL");
    await hope("pi12", "dead");
    const [avahi] = processes.get("n11") ?? [];
    avahi?.kill("SIGTERM");
    await avahi?.exited;
    await lab.announce({ ...node(11), hostName: "attic" }, signal);
    await hope("attic", "alive");
    expect(lines.filter(({ name, state }) => name === "pi12" && state === "dead")).not.toEqual([]);
    const listed = JSON.parse(await readFile(targets, "utf8")) as readonly {
      readonly targets: readonly string[];
      readonly labels: Readonly<Record<string, string>>;
    }[];
    expect(listed.map(({ labels }) => labels["node"])).toContain("pi12");
    const [pi1] = listed.filter(({ labels }) => labels["node"] === "pi1");
    // which family is heard first is chance
    expect(["10.77.1.1:9100", "[fd77:1::1]:9100"]).toContain(pi1?.targets[0] ?? "");
    for (const child of [watcher, writer]) child.kill("SIGTERM");
    expect(await ended.promise).toBe("error: interrupted by SIGTERM");
  });
  test("are dead when avahi's cache alone remembers them", async () => {
    const env = await lab.startAvahiWithBus("viewer", signal);
    const words = ["probe", "--no-cluster", "--via", "avahi", "-o", "json", "--timeout", "3s"];
    const stateOf10 = async () => {
      const { stdout } = await lab.run("viewer", [...berry, ...words], { env }, signal);
      return (JSON.parse(stdout) as readonly Told[]).find(({ name }) => name === "pi10")?.state;
    };
    expect(await stateOf10()).toBe("alive");
    for (const child of processes.get("n10") ?? []) child.kill("SIGKILL");
    await Promise.all((processes.get("n10") ?? []).map(({ exited }) => exited));
    expect(await stateOf10()).toBe("dead");
  });
});
