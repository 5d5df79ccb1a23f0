import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type LabNode, type MdnsLab, openLab } from "../../test/fixtures/mdns-lab.ts";
import { compileBerry } from "./bake.ts";
import type { Figure } from "./figures.ts";

/** What berry is measured against. */
export const probeParts = ["avahi-browse", "multicast-dns", "bonjour-service"] as const;
type ProbePart = (typeof probeParts)[number];

export interface ProbeOptions {
  /** null: 10. */
  readonly runs: number | null;
  /** null: all of them. */
  readonly only: ProbePart | null;
}

const nodeCount = 16;
const packages = ["multicast-dns@7.2.5", "bonjour-service@1.3.0"];
const pageProgram = resolve(import.meta.dirname, "../../test/fixtures/node-page.fixture.ts");

/**
 * Sixteen avahi daemons, eight on each of two subnets, seen by a viewer on both. Berry finds them and fetches
 * everybody's page; the others only find. The libraries know no end: their programs, as their manuals have them, end
 * when all are found, and after a second like avahi-browse.
 */
export async function benchProbe(
  { runs, only }: ProbeOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  await using berry = await compileBerry(say, signal);
  await using resources = new AsyncDisposableStack();
  const scratch = await mkdtemp("/var/tmp/berry-bench-probe-");
  resources.defer(async () => await rm(scratch, { recursive: true, force: true }));
  say("installing the libraries, starting sixteen nodes");
  await installLibraries(scratch);
  const lab = resources.use(await startNodes(signal));
  const bus = await lab.startAvahiWithBus("viewer", signal);
  const sides: Record<ProbePart | "berry", Side> = {
    berry: { argv: [berry.own, "probe", "find", "--no-cluster", "-o", "json"], host: /"host":\s*"(pi\d+)"/g },
    "avahi-browse": {
      argv: ["avahi-browse", "-rpt", "_berry._tcp"],
      env: bus,
      host: /^=.*;(pi\d+)\.local;/g,
    },
    "multicast-dns": { argv: [process.execPath, join(scratch, "multicast-dns.mjs")], host: /^(pi\d+)/g },
    "bonjour-service": { argv: [process.execPath, join(scratch, "bonjour-service.mjs")], host: /^(pi\d+)/g },
  };
  const others = probeParts.filter((part) => only === null || part === only);
  const measured = new Map<string, Look[]>();
  for (let run = 0; run <= (runs ?? 10); run += 1) {
    for (const name of ["berry", ...others] as const) {
      const look = await measureLook(sides[name], lab, signal);
      // the first run warms the caches of the disk, and that of the viewer's avahi
      if (run === 0) continue;
      measured.set(name, [...(measured.get(name) ?? []), look]);
      say(
        `run ${run}: ${name}: ${look.found} of ${nodeCount}, first ${milliseconds(look.firstSeconds)}, last ${milliseconds(look.lastSeconds)}, whole process ${milliseconds(look.wholeSeconds)}`,
      );
    }
  }
  return others.flatMap((other) => figures(other, measured.get("berry") ?? [], measured.get(other) ?? []));
}

interface Side {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Finds the host in a line of what it writes. */
  readonly host: RegExp;
}

interface Look {
  readonly found: number;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly wholeSeconds: number;
}

/** The time starts in the namespace, when the program does. */
async function measureLook({ argv, env = {}, host }: Side, lab: MdnsLab, signal: AbortSignal): Promise<Look> {
  let start = 0;
  const since = () => (performance.timeOrigin + performance.now()) / 1000 - start;
  const found = new Map<string, number>();
  const onLine = (line: string) => {
    if (start === 0) {
      start = Number(line) / 1e9;
      return;
    }
    for (const [, name] of line.matchAll(host))
      if (name !== undefined && !found.has(name)) found.set(name, since());
  };
  await lab.run("viewer", ["sh", "-c", 'date +%s%N; exec "$@"', "sh", ...argv], { env, onLine }, signal);
  const wholeSeconds = since();
  const times = [...found.values()];
  return {
    found: found.size,
    firstSeconds: Math.min(wholeSeconds, ...times),
    lastSeconds: Math.max(0, ...times),
    wholeSeconds,
  };
}

function figures(other: ProbePart, berry: readonly Look[], others: readonly Look[]): Figure[] {
  const figure = (name: string, unit: Figure["unit"], read: (look: Look) => number): Figure => ({
    bench: `find ${nodeCount} nodes on two subnets, against ${other}`,
    variant: other,
    name,
    unit,
    berry: berry.map(read),
    other: others.map(read),
  });
  return [
    figure("nodes found", "%", ({ found }) => (100 * found) / nodeCount),
    figure("first node", "s", ({ firstSeconds }) => firstSeconds),
    figure("last node", "s", ({ lastSeconds }) => lastSeconds),
    figure("whole process", "s", ({ wholeSeconds }) => wholeSeconds),
  ];
}

async function startNodes(signal: AbortSignal): Promise<MdnsLab> {
  const nodes = Array.from({ length: nodeCount }, (_, index): LabNode => ({
    name: `node${index}`,
    hostName: `pi${index}`,
    subnet: index % 2,
    number: index + 1,
    txt: [`serial=10000000000000${index.toString(16).padStart(2, "0")}`, "role=server", "version=0.1.0"],
  }));
  const lab = await openLab({ subnets: 2, nodes }, signal);
  try {
    for (const { name, hostName } of nodes) {
      const serving = Promise.withResolvers<void>();
      const page = lab.spawn(name, [process.execPath, pageProgram, hostName, "45"], {
        onLine: () => serving.resolve(),
      });
      await Promise.race([
        serving.promise,
        page.exited.then(() => {
          throw new Error(`the page of ${name} is not served`);
        }),
      ]);
    }
    await Promise.all(nodes.map(async (node) => await lab.announce(node, signal)));
    return lab;
  } catch (cause) {
    await lab[Symbol.asyncDispose]();
    throw cause;
  }
}

async function installLibraries(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "package.json"), "{}");
  const add = Bun.spawn([process.execPath, "add", ...packages], {
    cwd: folder,
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(add.stderr).text();
  if ((await add.exited) !== 0) throw new Error(`bun add ${packages.join(" ")}: ${said}`);
  const end = `const found = new Set();
const see = (name) => {
  if (found.has(name)) return;
  found.add(name);
  console.log(name);
  if (found.size === ${nodeCount}) process.exit(0);
};
setTimeout(() => process.exit(0), 1000);
`;
  await Bun.write(
    join(folder, "multicast-dns.mjs"),
    `import multicastDns from "multicast-dns";
${end}const mdns = multicastDns();
mdns.on("response", ({ answers, additionals }) => {
  for (const record of [...answers, ...additionals]) if (record.type === "SRV" && record.name.endsWith("_berry._tcp.local")) see(record.data.target);
});
mdns.query({ questions: [{ name: "_berry._tcp.local", type: "PTR" }] });
`,
  );
  await Bun.write(
    join(folder, "bonjour-service.mjs"),
    `import { Bonjour } from "bonjour-service";
${end}new Bonjour().find({ type: "berry" }, (service) => see(service.host));
`,
  );
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}
