import type { Row } from "../row.ts";
import type { Address } from "../sighting.ts";
import { ailmentsOf } from "./ailments.ts";
import { groupSightings, type Heard } from "./group-sightings.ts";
import { baseOf, hostKey, serialOf } from "./keys.ts";
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
  const known = new Set((expected ?? []).map(({ name }) => hostKey(name)));
  const findings = settleAnswers(groupSightings(heard, known));
  const namings = nameBoards(findings, known);
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
  const { first, answer } = finding;
  const health = answer?.answer === "page" ? answer.health : null;
  const isKnown = isExpecting ? node !== undefined : null;
  const said = (key: "serial" | "model" | "role" | "version") =>
    believedOf(finding)
      .map(({ sighting }) => sighting[key])
      .find((text) => text !== null && text !== "") ?? null;
  return {
    name: node?.name ?? naming.shown,
    state: health === null ? "dead" : isKnown === false ? "unknown" : "alive",
    isKnown,
    isVouched: isKnown === true || finding.board.heard.some(isProven),
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

/** Whether the user named it, or it has answered where it is still said to be. */
function isProven({ sighting, answer, answeredAt }: Heard): boolean {
  if (sighting.source === "user" || answer?.answer === "page") return true;
  return sighting.addresses.some(({ address }) => address === answeredAt);
}

/**
 * Each once, in the order of the sightings; behind all others those that were too slow. What answered is not put before
 * what was not asked: a file that others read would change with every look. Of one that is not believed, what answered.
 */
function addressesOf(finding: Finding): readonly Address[] {
  const { board, answer } = finding;
  const believed = new Set(believedOf(finding));
  const slower = answer?.answer === "page" ? answer.slower : [];
  const all = board.heard.flatMap((heard) => {
    const { sighting } = heard;
    const answered = heard.answer?.answer === "page" ? heard.answer.address : null;
    return sighting.addresses.filter(({ address }) => believed.has(heard) || address === answered);
  });
  const once = [...new Map(all.map((address) => [address.address, address])).values()];
  return [
    ...once.filter(({ address }) => !slower.includes(address)),
    ...once.filter(({ address }) => slower.includes(address)),
  ];
}

/** Where one has answered, what others say who did not, or who speak from elsewhere, counts for nothing. */
function believedOf({ board, first }: Finding): readonly Heard[] {
  if (first.answer?.answer !== "page") return board.heard;
  const { sender } = first.sighting;
  return board.heard.filter(
    (heard) =>
      heard === first ||
      (heard.answer?.answer === "page" &&
        !isOfAnotherSerial(heard, first) &&
        (heard.sighting.sender === undefined || heard.sighting.sender === sender)),
  );
}

function isOfAnotherSerial({ sighting }: Heard, first: Heard): boolean {
  const [serial, own] = [serialOf(sighting), serialOf(first.sighting)];
  return serial !== null && own !== null && serial !== own;
}

/** What is said of the board by those who are not believed. */
function rumoursOf(finding: Finding): readonly string[] {
  const { board, first } = finding;
  if (first.answer?.answer !== "page") return [];
  const own = new Set(addressesOf(finding).map(({ address }) => address));
  const told = board.heard.flatMap((heard) => {
    const { sighting, answer } = heard;
    if (sighting.source === "user" || answer === null) return [];
    const who = sighting.sender ?? sighting.instance ?? "somebody";
    if (baseOf(sighting.host) !== baseOf(first.sighting.host))
      return [`${who} announces its address as that of ${sighting.host}`];
    if (isOfAnotherSerial(heard, first)) {
      const isItself = sighting.sender !== undefined && sighting.sender === first.sighting.sender;
      return [`${isItself ? "it" : who} announces its address with another serial, too: ${sighting.serial}`];
    }
    const elsewhere = sighting.addresses.find(({ address }) => !own.has(address));
    const isOther = sighting.port !== first.sighting.port || elsewhere !== undefined;
    if (answer.answer === "page" || !isOther) return [];
    const at = (elsewhere ?? sighting.addresses[0])?.address ?? sighting.host;
    return [`${who} announces it at ${at}, port ${sighting.port}, too, where it does not answer`];
  });
  return [...new Set(told)].slice(0, 3);
}

function warningsOf(
  finding: Finding,
  { called, namesakes }: Naming,
  node: ExpectedNode | undefined,
  twins: readonly Finding[],
): readonly string[] {
  const { nodeName, announced } = finding;
  const role = announced?.role ?? null;
  const host = announced === null ? called : hostKey(announced.host);
  const isBelied = nodeName !== null && nodeName !== host && nodeName !== baseOf(host);
  return [
    ...rumoursOf(finding),
    ...few(namesakes).map((other) =>
      twins.includes(other)
        ? `two machines say that they are ${called}: the other one is at ${placeOf(other)}`
        : `another board calls itself ${called}, too: ${identityOf(other)}`,
    ),
    ...few(twins.filter((other) => other !== finding && !namesakes.includes(other))).map(
      ({ first }) => `${first.sighting.host} claims the same serial: a copy, or a lie`,
    ),
    ...(isBelied || (announced !== null && nodeName !== null && nodeName !== called)
      ? [`it is announced as ${isBelied ? host : called}, and its page is that of ${nodeName}`]
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
  return placeOf({ first });
}

function placeOf({ first: { sighting } }: Pick<Finding, "first">): string {
  return sighting.addresses[0]?.address ?? sighting.host;
}

function toMissing({ name, role }: ExpectedNode): Row {
  return {
    name,
    state: "missing",
    isKnown: true,
    isVouched: true,
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
