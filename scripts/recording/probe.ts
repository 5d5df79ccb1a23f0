import { join } from "node:path";
import { type LabNode, type MdnsLab, openLab } from "../../test/fixtures/mdns-lab.ts";
import type { Command } from "./session.ts";

/** What a node's page is to say. */
export interface NodeVitals {
  readonly hostName: string;
  readonly celsius: number;
  readonly dutyRatio: number;
  readonly rpm: number;
  readonly load: number;
  readonly availableMemoryBytes: number;
  readonly bootedSecondsAgo: number;
  /** Since its start. */
  readonly underVoltage: boolean;
}

/** null: it has no page, as if it were about to die. */
const vitals: readonly (Omit<NodeVitals, "hostName"> | null)[] = [
  vitalsOf(46.2, 0.3, 1640, 0.42, 18.1e9, 1_936_800, false),
  vitalsOf(51.6, 0.35, 1890, 1.87, 12.4e9, 1_936_790, false),
  vitalsOf(74.8, 1, 4980, 3.96, 6.2e9, 93_600, true),
  null,
  vitalsOf(48.1, 0.3, 1655, 0.31, 20.9e9, 1_936_770, false),
];

function vitalsOf(
  celsius: number,
  dutyRatio: number,
  rpm: number,
  load: number,
  availableMemoryBytes: number,
  bootedSecondsAgo: number,
  underVoltage: boolean,
): Omit<NodeVitals, "hostName"> {
  return { celsius, dutyRatio, rpm, load, availableMemoryBytes, bootedSecondsAgo, underVoltage };
}

/** All announce themselves; pi6 is known to berry.toml alone. */
const nodes: readonly LabNode[] = vitals.map((_, index) => ({
  name: `n${index + 1}`,
  hostName: `pi${index + 1}`,
  subnet: 0,
  number: 11 + index,
  txt: [
    `serial=10000000a1b2c30${index + 1}`,
    "model=Raspberry Pi 4 Model B Rev 1.4",
    `role=${roleOf(index)}`,
    "version=0.1.0",
  ],
}));

function roleOf(index: number): string {
  return index === 0 ? "server" : "agent";
}

/** What the cluster is said to be. */
export const probeClusterText = `[cluster]
name = "berry"
[user]
name = "pi"
password_file = "secret/password"
${Array.from({ length: 6 }, (_, index) => `[[node]]\nname = "pi${index + 1}"\nrole = "${roleOf(index)}"\n`).join("")}`;

/** A network of namespaces on which the nodes announce themselves. */
export async function openHome(signal: AbortSignal): Promise<MdnsLab> {
  const lab = await openLab({ subnets: 1, nodes }, signal);
  try {
    await Promise.all(
      nodes.map(async (node, index) => await start(lab, node, vitals[index] ?? null, signal)),
    );
    return lab;
  } catch (cause) {
    await lab[Symbol.asyncDispose]();
    throw cause;
  }
}

async function start(
  lab: MdnsLab,
  node: LabNode,
  page: Omit<NodeVitals, "hostName"> | null,
  signal: AbortSignal,
): Promise<void> {
  await lab.announce(node, signal);
  if (page === null) return;
  const program = join(import.meta.dirname, "node-page.fixture.ts");
  const words = JSON.stringify({ hostName: node.hostName, ...page } satisfies NodeVitals);
  const serving = Promise.withResolvers<void>();
  const { said } = lab.spawn(node.name, [process.execPath, program, words], {
    onLine: () => serving.resolve(),
  });
  const ended = said.then(() => {
    throw new Error(`the page of ${node.hostName} ended`);
  });
  await Promise.race([serving.promise, ended]);
  ended.catch(() => undefined);
}

export const probeTitle = "berry probe: who is there, and how warm";

const quick = { longestMilliseconds: 1500, budgetMilliseconds: 4000 } as const;

export const probeCommands: readonly Command[] = [
  { typed: "berry probe", exitCode: 1, pace: quick },
  { typed: "berry probe --filter 'temp>60'", exitCode: 0, pace: quick },
];
