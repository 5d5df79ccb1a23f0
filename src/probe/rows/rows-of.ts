import type { Row } from "../row.ts";
import type { Address } from "../sighting.ts";
import { ailmentsOf } from "./ailments.ts";
import { groupSightings, type Heard, hostKey } from "./group-sightings.ts";
import { nameBoards, type Naming } from "./name-boards.ts";
import { type Finding, settleAnswers } from "./settle-answers.ts";

/** A node as berry.toml names it. */
export interface ExpectedNode {
  readonly name: string;
  readonly role: string;
}

/** Where node_exporter listens, unless it says otherwise. */
const usualPort = 9100;

/**
 * The nodes, one row a board, by name; boards that are still being asked are left out.
 * @param expected what berry.toml names; null: there is no berry.toml
 */
export function rowsOf(heard: readonly Heard[], expected: readonly ExpectedNode[] | null): readonly Row[] {
  const findings = settleAnswers(groupSightings(heard));
  const namings = nameBoards(findings);
  const bySerial = Map.groupBy(findings, ({ board }) => board.serial);
  const rows = findings.flatMap((finding, index) => {
    const naming = namings[index];
    if (finding.answer === null || naming === undefined) return [];
    const node = naming.isItself ? nodeCalled(naming.called, expected) : undefined;
    const twins = finding.board.serial === null ? [] : (bySerial.get(finding.board.serial) ?? []);
    return [toRow(finding, naming, node, twins, expected !== null)];
  });
  const found = new Set(namings.filter(({ isItself }) => isItself).map(({ called }) => called));
  const missing = (expected ?? []).filter(({ name }) => !found.has(hostKey(name))).map(toMissing);
  return [...rows, ...missing].sort(
    (one, other) =>
      one.name.localeCompare(other.name, "en", { numeric: true }) ||
      (one.serial ?? "").localeCompare(other.serial ?? "", "en"),
  );
}

function nodeCalled(called: string, expected: readonly ExpectedNode[] | null): ExpectedNode | undefined {
  return expected?.find(({ name }) => hostKey(name) === called);
}

function toRow(
  finding: Finding,
  naming: Naming,
  node: ExpectedNode | undefined,
  twins: readonly Finding[],
  isExpecting: boolean,
): Row {
  const { board, first, answer } = finding;
  const health = answer?.answer === "page" ? answer.health : null;
  const isKnown = isExpecting ? node !== undefined : null;
  const said = (key: "serial" | "model" | "role" | "version") =>
    board.heard.map(({ sighting }) => sighting[key]).find((text) => text !== null && text !== "") ?? null;
  return {
    name: node?.name ?? naming.shown,
    state: health === null ? "dead" : isKnown === false ? "unknown" : "alive",
    isKnown,
    host: first.sighting.host,
    addresses: addressesOf(finding),
    port: first.sighting.port,
    serial: said("serial"),
    model: said("model"),
    role: said("role") ?? node?.role ?? null,
    version: said("version") ?? health?.berryVersion ?? null,
    health,
    answer,
    ailments: health === null ? [] : ailmentsOf(health),
    warnings: warningsOf(finding, naming, node, twins),
  };
}

/**
 * Each once, in the order of the sightings; behind all others those that were too slow. What answered is not put before
 * what was not asked: a file that others read would change with every look.
 */
function addressesOf({ board, answer }: Finding): readonly Address[] {
  const slower = answer?.answer === "page" ? answer.slower : [];
  const all = board.heard.flatMap(({ sighting }) => sighting.addresses);
  const once = [...new Map(all.map((address) => [address.address, address])).values()];
  return [
    ...once.filter(({ address }) => !slower.includes(address)),
    ...once.filter(({ address }) => slower.includes(address)),
  ];
}

function warningsOf(
  finding: Finding,
  { called, namesakes }: Naming,
  node: ExpectedNode | undefined,
  twins: readonly Finding[],
): readonly string[] {
  const { nodeName, announced } = finding;
  const role = announced?.role ?? null;
  return [
    ...few(namesakes).map((other) => `another board calls itself ${called}, too: ${identityOf(other)}`),
    ...few(twins.filter((other) => other !== finding)).map(
      ({ first }) => `${first.sighting.host} claims the same serial: a copy, or a lie`,
    ),
    ...(announced !== null && nodeName !== null && nodeName !== called
      ? [`it is announced as ${called}, and its page is that of ${nodeName}`]
      : []),
    ...(node !== undefined && role !== null && role !== node.role
      ? [`its role is ${role}, in berry.toml it is ${node.role}`]
      : []),
  ];
}

/** A thousand liars need no thousand lines each. */
function few(findings: readonly Finding[]): readonly Finding[] {
  return findings.slice(0, 3);
}

function identityOf({ board, first }: Finding): string {
  if (board.serial !== null) return `serial ${board.serial}`;
  return first.sighting.addresses[0]?.address ?? first.sighting.host;
}

function toMissing({ name, role }: ExpectedNode): Row {
  return {
    name,
    state: "missing",
    isKnown: true,
    host: null,
    addresses: [],
    port: usualPort,
    serial: null,
    model: null,
    role,
    version: null,
    health: null,
    answer: null,
    ailments: [],
    warnings: [],
  };
}
