import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { type LabNode, type MdnsLab, openLab } from "../../../fixtures/mdns-lab.ts";

const search = [process.execPath, join(import.meta.dirname, "../../../fixtures/mdns-discovery.fixture.ts")];
const liar = [process.execPath, join(import.meta.dirname, "../../../fixtures/mdns-liar.fixture.ts")];
const { signal } = new AbortController();

/** Board N of 16, on subnet 0 when N is odd and on subnet 1 when it is even. */
function board(number: number, facts: Partial<LabNode> = {}): LabNode {
  return {
    name: `node${number}`,
    hostName: `berry${number}`,
    subnet: 1 - (number % 2),
    number,
    txt: [`serial=20000000000000${number.toString(16).padStart(2, "0")}`, "role=server", "version=0.1.0"],
    ...facts,
  };
}

const boards = [
  board(1),
  board(2),
  // killed
  board(3),
  // renamed
  board(4, { hostName: "before" }),
  board(5, { families: [4] }),
  board(6, { families: [6] }),
  board(7, { port: 9101 }),
  ...[8, 9, 10, 11, 12, 13, 14].map((number) => board(number)),
  // where berry1 is, too
  board(15, { hostName: "berry1" }),
  // berry2 is elsewhere: nobody notices
  board(16, { hostName: "berry2", subnet: 0 }),
];

/** What is expected of a board: instance and host, and the addresses in both families. */
function expected(
  { hostName, subnet, number, families = [4, 6], port = 9100, txt }: LabNode,
  instance?: string,
) {
  const ipv4 = { address: `10.77.${subnet}.${number}`, family: 4, zone: `lan${subnet}` };
  const ipv6 = {
    address: `fd77:${subnet === 0 ? "" : subnet}::${number.toString(16)}`.replace(":::", "::"),
    family: 6,
    zone: `lan${subnet}`,
  };
  return {
    instance: instance ?? `berry on ${hostName}`,
    host: hostName,
    // avahi tells its IPv6 addresses over IPv4, too, but not the other way round
    addresses: [...(families.includes(4) ? [ipv4] : []), ipv6],
    port,
    serial: txt[0]?.slice("serial=".length),
    model: null,
    role: "server",
    version: "0.1.0",
    source: "mdns",
  };
}

interface Found {
  readonly sightings: readonly Sighting[];
  readonly warnings: readonly { readonly message: string }[];
}

let lab: MdnsLab;

async function look(words: readonly string[], env: Record<string, string> = {}): Promise<Found> {
  const { stdout, stderr, exitCode } = await lab.run("viewer", [...search, ...words], { env }, signal);
  if (exitCode !== 0) throw new Error(`${stdout}${stderr}`);
  return JSON.parse(stdout) as Found;
}

/**
 * The boards of this test, by serial; the liar's are others. Of the two boards that are called berry2 the one that
 * answered later has its serial in its name.
 */
function ours({ sightings }: Found): Sighting[] {
  return sightings
    .filter(({ serial }) => serial?.startsWith("20000000000000"))
    .map((sighting) => {
      const told: Omit<Sighting, "sender"> & { sender?: string } = {
        ...sighting,
        instance: (sighting.instance ?? "").replace(/ \(.*\)$/, ""),
      };
      delete told.sender;
      return told;
    })
    .toSorted((left, right) => (left.serial ?? "").localeCompare(right.serial ?? "", "en"));
}

const bySerial = (left: { serial?: string | undefined }, right: { serial?: string | undefined }) =>
  (left.serial ?? "").localeCompare(right.serial ?? "", "en");

beforeAll(async () => {
  const places = [...boards, { name: "liar", subnet: 0, number: 66 }];
  lab = await openLab({ subnets: 2, nodes: places }, signal);
  const late = board(15);
  const daemons = await Promise.all(
    boards
      .filter(({ name }) => name !== late.name)
      .map(async (node) => [node.name, await lab.announce(node, signal)] as const),
  );
  const [killed, renamed] = ["node3", "node4"].map((name) => new Map(daemons).get(name));
  await Promise.all([
    // the first one keeps its name
    lab.announce(board(15, { hostName: "berry1" }), signal),
    (async () => {
      killed?.kill("SIGKILL");
      renamed?.kill("SIGTERM");
      await renamed?.exited;
      await lab.announce(board(4, { hostName: "after" }), signal);
    })(),
  ]);
});

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** All but the one that was killed, by what is known of them now. */
function all() {
  const [first, second] = [board(2), board(16, { hostName: "berry2", subnet: 0 })];
  const others = boards.filter(({ number }) => ![2, 3, 4, 15, 16].includes(number));
  return [
    ...others.map((node) => expected(node)),
    expected(first),
    expected(second),
    expected(board(4, { hostName: "after" })),
    expected(board(15, { hostName: "berry1-2" })),
  ].toSorted(bySerial);
}

describe("on two subnets, in both families", () => {
  test("everybody who lives is found, each board once, under the name and the addresses it has now", async () => {
    const found = await look(["--expect", "15", "--timeout", "10000"]);
    expect(ours(found)).toEqual(all() as Sighting[]);
    expect(new Set(found.sightings.map(({ instance }) => instance)).size).toBe(15);
    expect(found.warnings).toEqual([]);
  });

  test("a plain look finds everybody, too", async () => {
    for (let time = 0; time < 5; time += 1) expect(ours(await look([]))).toHaveLength(15);
  });

  test("one interface alone is asked when it is named", async () => {
    const found = await look(["--iface", "lan1"]);
    expect(ours(found).map(({ serial }) => serial)).toEqual(
      all()
        .filter(({ addresses }) => addresses[0]?.zone === "lan1")
        .map(({ serial }) => serial ?? ""),
    );
  });

  test("an interface that is down does not stop the other", async () => {
    await lab.run("viewer", ["ip", "link", "set", "lan0", "down"], {}, signal);
    try {
      expect(ours(await look([]))).toHaveLength(7);
    } finally {
      await lab.run("viewer", ["ip", "link", "set", "lan0", "up"], {}, signal);
      await lab.run("viewer", ["ip", "addr", "replace", "fd77::fa/64", "dev", "lan0", "nodad"], {}, signal);
    }
  });

  test("one that answers garbage is survived, and nobody else is misread for it", async () => {
    const ready = Promise.withResolvers<void>();
    const process = lab.spawn("liar", liar, { onLine: () => ready.resolve() });
    try {
      await Promise.race([ready.promise, process.exited]);
      const found = await look(["--expect", "1000", "--timeout", "1500"]);
      expect(ours(found)).toEqual(all() as Sighting[]);
      expect(found.sightings.length).toBeLessThan(300);
      expect(found.warnings.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/^somebody floods the network with answers/),
      );
    } finally {
      process.kill("SIGKILL");
      await process.exited;
    }
  });
});

describe("a watch", () => {
  test("hears who comes, who says goodbye, and who is renamed, beside the viewer's own avahi", async () => {
    const node = board(20, { hostName: "late" });
    await using other = await openLab({ subnets: 1, nodes: [{ ...node, subnet: 0 }] }, signal);
    await other.startAvahiWithBus("viewer", signal);
    const events: string[] = [];
    const until = new Map<string, () => void>();
    const heard = async (event: string) => {
      if (!events.includes(event)) await new Promise<void>((resolve) => until.set(event, resolve));
    };
    const watching = other.spawn("viewer", [...search, "--watch"], {
      onLine: (line) => {
        const { event, instance, sighting } = JSON.parse(line) as {
          event?: string;
          instance?: string;
          sighting?: Sighting;
        };
        // the report, in the end
        if (event === undefined) return;
        const told = `${event} ${instance ?? sighting?.instance}`;
        events.push(told);
        until.get(told)?.();
      },
    });
    const late = await other.announce({ ...node, subnet: 0 }, signal);
    await heard("seen berry on late");
    late.kill("SIGTERM");
    await heard("gone berry on late");
    await other.announce({ ...node, subnet: 0, hostName: "later" }, signal);
    await heard("seen berry on later");
    watching.kill("SIGTERM");
    await watching.exited;
    expect(new Set(events)).toEqual(
      new Set(["seen berry on late", "gone berry on late", "seen berry on later"]),
    );
  });
});

describe("through avahi", () => {
  test("the same boards are found over D-Bus, and that there is none or that it has ended is said", async () => {
    expect(await look(["--via", "avahi"])).toMatchObject({
      kind: "unavailable",
      hint: expect.stringContaining("--via avahi"),
    });
    const env = await lab.startAvahiWithBus("viewer", signal);
    const found = await look(["--via", "avahi", "--timeout", "10000"], env);
    const names = (sightings: readonly { serial?: string | null | undefined }[]) =>
      sightings.map(({ serial }) => serial ?? "");
    expect(names(ours(found))).toEqual(names(all()));
    expect(found.sightings.every(({ source }) => source === "avahi")).toBe(true);
    const said: string[] = [];
    const heard = Promise.withResolvers<void>();
    const watching = lab.spawn("viewer", [...search, "--via", "avahi", "--watch"], {
      env,
      onLine: (line) => {
        said.push(line);
        if (said.length === 15) heard.resolve();
      },
    });
    await heard.promise;
    await lab.run("viewer", ["sh", "-c", "kill -9 $(cat /run/viewer-avahi.pid)"], {}, signal);
    await watching.exited;
    expect(await look(["--via", "avahi"], env)).toMatchObject({
      kind: "unavailable",
      message: "avahi does not run on this machine",
    });
    await watching.said;
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject({ kind: "unavailable", message: "avahi has ended" });
  });
});
