import { printable } from "../../core/printable.ts";
import type { Row } from "../row.ts";
import type { Address } from "../sighting.ts";

/** A row that may go into a file which other programs believe, under a name that means nothing else to them. */
export interface NamedNode {
  readonly row: Row;
  /** One label of RFC 1123, lower case. */
  readonly name: string;
}

export interface Chosen<Kept> {
  readonly kept: readonly Kept[];
  /** Who is left out and why, fit for a terminal. */
  readonly leftOut: readonly string[];
}

/** Names that a machine has for itself (RFC 6761, and the hosts files of distributions). */
const ownNames = new Set(["localhost", "ip6-localhost", "ip6-loopback", "broadcasthost", "all", "ungrouped"]);
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The nodes that can be named in files. Anybody on the network can announce anything: names that are none, that mean
 * something else, that two boards claim, that berry.toml does not have, or of which nothing but their announcement is
 * known are left out.
 */
export function nodeNames(rows: readonly Row[]): Chosen<NamedNode> {
  const kept: NamedNode[] = [];
  const leftOut: string[] = [];
  const claims = Map.groupBy(rows, ({ name }) => name.toLowerCase());
  for (const row of rows) {
    const name = row.name.toLowerCase();
    const why = !label.test(name)
      ? "not a host name"
      : ownNames.has(name) || /^[\d-]+$/.test(name)
        ? "a name that means something else"
        : (claims.get(name)?.length ?? 0) > 1
          ? "two boards are called so"
          : row.isKnown === false
            ? "berry.toml does not know it"
            : row.isVouched
              ? null
              : "it does not answer";
    if (why === null) kept.push({ row, name });
    else leftOut.push(`${printable(row.name)}: ${why}`);
  }
  return { kept, leftOut: [...new Set(leftOut)] };
}

/**
 * Addresses that lead to the host from everywhere, the best first; link-local ones mean another host on each link.
 * What was asked and had not answered when another address did is left out, as long as there are others.
 */
export function routable({ addresses, answer }: Row): readonly Address[] {
  const all = addresses.filter(
    ({ address, family }) => /^[0-9a-f:.]+$/i.test(address) && (family === 4 || !/^fe[89ab]/i.test(address)),
  );
  const slower = answer?.answer === "page" ? answer.slower : [];
  const prompt = all.filter(({ address }) => !slower.includes(address));
  return prompt.length > 0 ? prompt : all;
}

/**
 * Those that answer, and have an address that can be routed. Where a dead one is, nobody but its announcement says.
 * Who is left out is told, but for those that berry.toml alone speaks of.
 */
export function reachable(
  nodes: Chosen<NamedNode>,
): Chosen<NamedNode & { readonly address: Address; readonly addresses: readonly Address[] }> {
  const kept: (NamedNode & { readonly address: Address; readonly addresses: readonly Address[] })[] = [];
  const leftOut = [...nodes.leftOut];
  for (const node of nodes.kept) {
    const { row, name } = node;
    const addresses = routable(row);
    const [address] = addresses;
    if (row.state === "missing") continue;
    if (row.health === null) leftOut.push(`${name}: it does not answer`);
    else if (address === undefined) leftOut.push(`${name}: it has no address that can be routed`);
    else kept.push({ ...node, address, addresses });
  }
  return { kept, leftOut };
}
