import { printable } from "../../core/printable.ts";
import type { Row } from "../row.ts";
import type { Address } from "../sighting.ts";
import { routable } from "./node-names.ts";
import type { Rendered } from "./rendered.ts";

/**
 * A file for file_sd_configs of Prometheus: one target a board, the dead ones, too, so that an alert can tell of them;
 * but not whom nothing but an announcement speaks for.
 * Addresses alone: Prometheus does not resolve `.local`, and knows no zones.
 */
export function renderPromSd(rows: readonly Row[]): Rendered {
  const taken = new Set<string>();
  const leftOut: string[] = [];
  // an address that two claim belongs to the one that answers, and by its own name
  const rank = ({ name, health }: Row) => (health === null ? 2 : health.hostName === name ? 0 : 1);
  const inOrder = [...rows].sort((one, other) => rank(one) - rank(other));
  const groups = new Map<Row, unknown>();
  const living = new Set(rows.flatMap(({ name, health }) => (health === null ? [] : [name.toLowerCase()])));
  for (const row of inOrder) {
    if (row.health === null && living.has(row.name.toLowerCase())) {
      leftOut.push(`${printable(row.name)}: another board of this name answers`);
      continue;
    }
    if (!row.isVouched) {
      leftOut.push(`${printable(row.name)}: it does not answer`);
      continue;
    }
    const [address] = routable(row);
    const target = address === undefined ? null : targetOf(address, row.port);
    if (target === null || taken.has(target)) {
      if (row.state !== "missing")
        leftOut.push(
          `${printable(row.name)}: ${target === null ? "it has no address that can be routed" : "another node has its address"}`,
        );
      continue;
    }
    taken.add(target);
    groups.set(row, { targets: [target], labels: labelsOf(row) });
  }
  const listed = rows.flatMap((row) => (groups.has(row) ? [groups.get(row)] : []));
  return { text: `${JSON.stringify(listed, null, 2)}\n`, leftOut };
}

function targetOf({ address, family }: Address, port: number): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function labelsOf({ name, serial, model, role }: Row): Readonly<Record<string, string>> {
  const labels = { node: name, serial, model, role };
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => (value === null ? [] : [[key, printable(value)]])),
  );
}
