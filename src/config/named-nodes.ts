import { checkHostName, checkRole, checkUserName } from "./names.ts";
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
  const { node: tables, user: shared } = tableOf(content);
  if (!Array.isArray(tables) || tables.length === 0) return null;
  const nodes = new Map<string, NamedNode>();
  let nameless = 0;
  for (const table of tables as readonly unknown[]) {
    const own = tableOf(table);
    const name = sound(own["name"], checkHostName);
    if (name === null) nameless += 1;
    else if (!nodes.has(name)) {
      nodes.set(name, {
        name,
        role: sound(own["role"], checkRole) ?? "node",
        user: sound(tableOf(own["user"])["name"] ?? tableOf(shared)["name"], checkUserName),
      });
    }
  }
  return { nodes: [...nodes.values()], nameless };
}

function sound(value: unknown, check: Check): string | null {
  return typeof value === "string" && check(value) === null ? value : null;
}

/** Empty for what is none. */
function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
