import type { Row } from "../row.ts";
import { nodeNames, routable } from "./node-names.ts";
import type { Rendered } from "./rendered.ts";

/** Lines of /etc/hosts (hosts(5)): one for each address. */
export function renderHosts(rows: readonly Row[]): Rendered {
  const { kept, leftOut } = nodeNames(rows);
  const lines = kept.flatMap(({ row, name }) => routable(row).map(({ address }) => `${address}\t${name}\n`));
  const lost = kept.filter(({ row }) => row.state !== "missing" && routable(row).length === 0);
  return {
    text: lines.join(""),
    leftOut: [...leftOut, ...lost.map(({ name }) => `${name}: it has no address that can be routed`)],
  };
}
