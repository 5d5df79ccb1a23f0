import { lstatSync } from "node:fs";
import { namedNodes } from "../../config/named-nodes.ts";
import { BerryError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { NodeUser } from "../../probe/formats/rendered.ts";
import type { ExpectedNode } from "../../probe/rows/rows-of.ts";

/** What berry.toml says of the nodes. */
export interface ClusterNodes {
  /** null: there is no berry.toml. */
  readonly expected: readonly ExpectedNode[] | null;
  readonly users: readonly NodeUser[];
}

const usualFile = "berry.toml";

/**
 * The nodes that a cluster file names. What else stands there is for the imager to judge: the secrets that it names may
 * be on another machine.
 * @param file as typed; undefined: ./berry.toml, where there is one
 * @throws BerryError as `readToml`; `config` where no nodes are named
 */
export async function clusterNodes(
  file: string | undefined,
  isWanted: boolean,
  log: Log,
): Promise<ClusterNodes> {
  const path = file ?? usualFile;
  if (!isWanted || (file === undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined))
    return { expected: null, users: [] };
  const { readToml } = await import("../../config/read-toml.ts");
  const { content } = await readToml(path, "name another one with --file, or read none: --no-cluster");
  const named = namedNodes(content);
  if (named === null)
    throw new BerryError("config", `${path}: node: the cluster has no node`, {
      hint: "write [[node]] and its name below it, once for each node; or read no cluster file: --no-cluster",
    });
  if (named.nameless > 0)
    log.warn(
      `${path}: ${named.nameless} of its nodes without a name that could be a host's: nobody misses them`,
      "berry imager plan tells all that is wrong with it",
    );
  return {
    expected: named.nodes.map(({ name, role }) => ({ name, role })),
    users: named.nodes.flatMap(({ name, user }) => (user === null ? [] : [{ name, user }])),
  };
}
