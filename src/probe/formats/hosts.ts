import type { Row } from "../row.ts";
import { nodeNames, reachable } from "./node-names.ts";
import type { Rendered } from "./rendered.ts";

/** Lines of /etc/hosts (hosts(5)): one for each address. */
export function renderHosts(rows: readonly Row[]): Rendered {
  const { kept, leftOut } = reachable(nodeNames(rows));
  const lines = kept.flatMap(({ addresses, name }) =>
    addresses.map(({ address }) => `${address}\t${name}\n`),
  );
  return { text: lines.join(""), leftOut };
}
