import { checkHostName } from "./names.ts";
import { isTable, type Misplaced, parseTable, type Shape, type Table } from "./parse-table.ts";
import type { Diagnosis } from "./problem.ts";
import {
  clusterShape,
  imageShape,
  misplacedKeys,
  networkShape,
  nodeImageShape,
  nodeShape,
  sshShape,
  userShape,
  wifiShape,
} from "./tables.ts";

export type FanTable = Readonly<Record<string, unknown>>;

/** The tables of a cluster file, each validated by itself. A table that is not there is an empty one. */
export interface ClusterTables {
  readonly cluster: Table<typeof clusterShape>;
  readonly image: Table<typeof imageShape>;
  readonly user: Table<typeof userShape>;
  readonly ssh: Table<typeof sshShape>;
  readonly network: Table<typeof networkShape>;
  readonly wifi: Table<typeof wifiShape>;
  /** As it is written: the fan daemon's own judge knows its keys. */
  readonly fan: FanTable;
  /** The names of the tables that are there. */
  readonly present: ReadonlySet<string>;
  readonly nodes: readonly NodeTables[];
}

/** The tables of one node that are there; "off" where it says `false`. */
export interface NodeTables {
  /** How messages call it: `node[pi1]`, or `node[#1]` when it has no usable name. */
  readonly path: string;
  readonly identity: Table<typeof nodeShape>;
  readonly image: Table<typeof nodeImageShape> | undefined;
  readonly user: Table<typeof userShape> | undefined;
  readonly ssh: Table<typeof sshShape> | undefined;
  readonly network: Table<typeof networkShape> | undefined;
  readonly wifi: Table<typeof wifiShape> | "off" | undefined;
  readonly fan: FanTable | "off" | undefined;
}

/** A node that says nothing of itself. */
export const namelessNode: NodeTables = {
  path: "node",
  identity: { values: {}, failed: () => false },
  image: undefined,
  user: undefined,
  ssh: undefined,
  network: undefined,
  wifi: undefined,
  fan: undefined,
};

const nodeTables = ["image", "user", "ssh", "network", "wifi", "fan"];

export function splitTables(content: Readonly<Record<string, unknown>>, diagnosis: Diagnosis): ClusterTables {
  parseTable({}, content, "", diagnosis, { otherKeys: ["cluster", ...nodeTables, "node"] });
  const table = <S extends Shape>(shape: S, name: string): Table<S> =>
    parseTable(shape, content[name] ?? {}, name, diagnosis, { misplaced: misplacedKeys[name] });
  const cluster = table(clusterShape, "cluster");
  if (cluster.values.name === undefined && !cluster.failed("name")) {
    diagnosis.add(
      "cluster.name",
      { problem: "missing", found: null, remedy: 'name the cluster, such as name = "berry"' },
      undefined,
    );
  }
  return {
    cluster,
    image: table(imageShape, "image"),
    user: table(userShape, "user"),
    ssh: table(sshShape, "ssh"),
    network: table(networkShape, "network"),
    wifi: table(wifiShape, "wifi"),
    fan: fanTable(content["fan"], diagnosis),
    present: new Set(Object.keys(content)),
    nodes: splitNodes(content["node"], diagnosis),
  };
}

function fanTable(raw: unknown, diagnosis: Diagnosis): FanTable {
  if (raw === undefined || isTable(raw)) return raw ?? {};
  diagnosis.add("fan", { problem: "must be a table", remedy: "write [fan] and its keys below it" }, raw);
  return {};
}

function splitNodes(raw: unknown, diagnosis: Diagnosis): readonly NodeTables[] {
  const remedy =
    "write [[node]], with two brackets on either side, and its name below it, once for each node";
  if (raw === undefined) {
    diagnosis.add("node", { problem: "the cluster has no node", found: null, remedy }, raw);
    return [];
  }
  if (!Array.isArray(raw) || raw.length === 0) {
    diagnosis.add("node", { problem: "must be a list of tables", remedy }, raw);
    return [];
  }
  const names = new Set<string>();
  return raw.map((each: unknown, index) => {
    const node = splitNode(each, index + 1, diagnosis);
    const { name } = node.identity.values;
    if (name !== undefined && names.has(name)) {
      diagnosis.add(
        `node[#${index + 1}].name`,
        { problem: "the name of another node", remedy: "give every node a name of its own" },
        name,
      );
    }
    if (name !== undefined) names.add(name);
    return node;
  });
}

function splitNode(raw: unknown, position: number, diagnosis: Diagnosis): NodeTables {
  const content = isTable(raw) ? raw : {};
  const name = content["name"];
  const path =
    typeof name === "string" && checkHostName(name) === null ? `node[${name}]` : `node[#${position}]`;
  const identity = parseTable(nodeShape, raw, path, diagnosis, { otherKeys: nodeTables });
  if (identity.values.name === undefined && !identity.failed("name")) {
    diagnosis.add(
      `${path}.name`,
      { problem: "missing", found: null, remedy: 'name the node, such as name = "pi1"' },
      undefined,
    );
  }
  const table = <S extends Shape>(
    shape: S,
    key: string,
    misplaced?: Readonly<Record<string, Misplaced>>,
  ): Table<S> | undefined =>
    content[key] === undefined
      ? undefined
      : parseTable(shape, content[key], `${path}.${key}`, diagnosis, { misplaced });
  const tableOrOff = <T>(key: string, read: (raw: FanTable) => T): T | "off" | undefined => {
    const raw = content[key];
    if (raw === false) return "off";
    if (raw === undefined) return undefined;
    if (isTable(raw)) return read(raw);
    diagnosis.add(
      `${path}.${key}`,
      { problem: "must be a table or false", remedy: `write { … }, or false to switch it off` },
      raw,
    );
    return "off";
  };
  return {
    path,
    identity,
    image: table(nodeImageShape, "image", misplacedKeys["node.image"]),
    user: table(userShape, "user", misplacedKeys["user"]),
    ssh: table(sshShape, "ssh"),
    network: table(networkShape, "network"),
    wifi: tableOrOff("wifi", (raw) =>
      parseTable(wifiShape, raw, `${path}.wifi`, diagnosis, { misplaced: misplacedKeys["wifi"] }),
    ),
    fan: tableOrOff("fan", (raw) => raw),
  };
}
