import { checkHostName, checkRole, checkUserName } from "./names.ts";
import { isTable } from "./parse-table.ts";
import type { Check } from "./problem.ts";

/** What a cluster file calls a node. */
export interface NamedNode {
  readonly name: string;
  readonly role: string;
  /** null: none that could be one. */
  readonly user: string | null;
}

/**
 * The nodes of a cluster file's content, each name once; whether all else in it is right does not matter here.
 * @returns null where there are no tables of nodes
 */
export function namedNodes(
  content: unknown,
): { readonly nodes: readonly NamedNode[]; readonly nameless: number } | null {
  const tables: unknown = isTable(content) ? content["node"] : undefined;
  if (!isTable(content) || !Array.isArray(tables) || tables.length === 0) return null;
  const shared = isTable(content["user"]) ? content["user"] : {};
  const nodes = new Map<string, NamedNode>();
  let nameless = 0;
  for (const table of tables as readonly unknown[]) {
    const own = isTable(table) ? table : {};
    const name = sound(own["name"], checkHostName);
    if (name === null) nameless += 1;
    else if (!nodes.has(name)) {
      const user = isTable(own["user"]) ? own["user"]["name"] : undefined;
      nodes.set(name, {
        name,
        role: sound(own["role"], checkRole) ?? "node",
        user: sound(user ?? shared["name"], checkUserName),
      });
    }
  }
  return { nodes: [...nodes.values()], nameless };
}

function sound(value: unknown, check: Check): string | null {
  return typeof value === "string" && check(value) === null ? value : null;
}
