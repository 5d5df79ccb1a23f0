import type { Row } from "../row.ts";
import { type NamedNode, nodeNames, reachable } from "./node-names.ts";
import type { NodeUser, Rendered } from "./rendered.ts";

/** Ansible's inventory as INI, which needs no ending of the file's name: `ansible -i <(berry probe -o ansible) …`. */
export function renderAnsible(rows: readonly Row[], users: readonly NodeUser[]): Rendered {
  const { kept, leftOut } = reachable(nodeNames(rows));
  const lines = kept.map(({ name, address, row }) => {
    const user = users.find((each) => each.name === name)?.user;
    const words = [
      name,
      `ansible_host=${address.address}`,
      ...(user === undefined ? [] : [`ansible_user=${user}`]),
      // a literal of Python in quotes of the shell: digits alone would become a number
      ...(row.serial !== null && /^[0-9A-Za-z-]+$/.test(row.serial)
        ? [`berry_serial='"${row.serial}"'`]
        : []),
    ];
    return `${words.join(" ")}\n`;
  });
  const roles = Map.groupBy(kept, ({ row }) => groupOf(row));
  const groups = [...roles]
    .filter((entry): entry is [string, (typeof kept)[number][]] => entry[0] !== null)
    .sort(([one], [other]) => one.localeCompare(other, "en"))
    .map(([group, nodes]) => `\n[${group}]\n${nodes.map(nameLine).join("")}`);
  return { text: kept.length === 0 ? "" : `[berry_nodes]\n${lines.join("")}${groups.join("")}`, leftOut };
}

/** Names of groups are those of Python's variables; a role that is none makes no group. */
function groupOf({ role }: Row): string | null {
  return role !== null && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(role)
    ? `role_${role.replaceAll("-", "_")}`
    : null;
}

function nameLine({ name }: NamedNode): string {
  return `${name}\n`;
}
