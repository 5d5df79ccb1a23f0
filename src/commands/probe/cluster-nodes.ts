import { existsSync } from "node:fs";
import type { NodeUser } from "../../probe/formats/rendered.ts";
import type { ExpectedNode } from "../../probe/rows/rows-of.ts";

/** What berry.toml says of the nodes. */
export interface ClusterNodes {
  /** null: there is no berry.toml. */
  readonly expected: readonly ExpectedNode[] | null;
  readonly users: readonly NodeUser[];
}

/** What is doubtful about images is told when they are baked. */
const silence = { info: () => undefined, warn: () => undefined };
const usualFile = "berry.toml";

/**
 * The nodes that a cluster file names. Reading one costs more than finding the nodes: it is done beside that.
 * @param file as typed; undefined: ./berry.toml, where there is one
 * @throws BerryError as `loadCluster`
 */
export async function clusterNodes(
  file: string | undefined,
  isWanted: boolean,
  signal: AbortSignal,
): Promise<ClusterNodes> {
  const path = file ?? usualFile;
  if (!isWanted || (file === undefined && !existsSync(path))) return { expected: null, users: [] };
  const { readCluster } = await import("../read-cluster.ts");
  const { nodes } = await readCluster(path, silence, signal);
  return {
    expected: nodes.map(({ name, role }) => ({ name, role })),
    users: nodes.map(({ name, user }) => ({ name, user: user.name })),
  };
}
