import type { Row } from "../row.ts";
import { nodeNames, reachable } from "./node-names.ts";
import type { NodeUser, Rendered } from "./rendered.ts";

/**
 * Host blocks of ssh_config(5), such as an `Include` reads. The host key is looked up by the node's name, so that a new
 * address is no new host.
 */
export function renderSshConfig(rows: readonly Row[], users: readonly NodeUser[]): Rendered {
  const { kept, leftOut } = reachable(nodeNames(rows));
  const blocks = kept.map(({ name, address }) => {
    const user = users.find((each) => each.name === name)?.user;
    return [
      `Host ${name}`,
      `    HostName ${address.address}`,
      `    HostKeyAlias ${name}`,
      ...(user === undefined ? [] : [`    User ${user}`]),
      "",
    ].join("\n");
  });
  return { text: blocks.join("\n"), leftOut };
}
