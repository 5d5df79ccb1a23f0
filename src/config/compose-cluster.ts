import type { Cluster, Node } from "./cluster.ts";
import { type FanJudge, fanSettings } from "./fan-settings.ts";
import { findFile, type Surroundings } from "./host-path.ts";
import { imageSettings } from "./image-settings.ts";
import { mergeTable } from "./merge-node.ts";
import { nearest } from "../core/nearest.ts";
import { isTargetPath, monitorRole } from "./names.ts";
import { checkAddressesDiffer, networkSettings } from "./network-settings.ts";
import { ownFileFlaw } from "./own-files.ts";
import { type ClusterTables, namelessNode, type NodeTables, splitTables } from "./split-tables.ts";
import { sshSettings, userSettings } from "./user-settings.ts";
import { wifiSettings } from "./wifi-settings.ts";

/**
 * Validates, defaults and merges the content of a cluster file.
 * Problems go to the diagnosis: only without any does the value count. It is frozen throughout.
 */
export async function composeCluster(
  content: Readonly<Record<string, unknown>>,
  path: string,
  around: Surroundings,
  fanJudge: FanJudge,
  signal: AbortSignal,
): Promise<Cluster> {
  const tables = splitTables(content, around.diagnosis);
  const nodes: Node[] = [];
  const addressKeys = new Map<Node, string>();
  // without any node the cluster's own tables are judged all the same
  for (const own of tables.nodes.length > 0 ? tables.nodes : [namelessNode]) {
    signal.throwIfAborted();
    const network = mergeTable(
      { table: tables.network, path: "network" },
      placed(own.network, own, "network"),
      (values) => (values.address?.length === 0 ? ["gateway"] : []),
    );
    const node = {
      ...(await composeNode(tables, own, around, fanJudge)),
      network: networkSettings(network, around.diagnosis),
    };
    addressKeys.set(node, network.keyOf("address"));
    nodes.push(node);
  }
  checkAddressesDiffer(nodes, (node) => addressKeys.get(node) ?? "node", around.diagnosis);
  const { target, output } = tables.image.values;
  return freeze({
    name: tables.cluster.values.name ?? "",
    file: path,
    target: await findTarget(target ?? "archlinuxarm-rpi-aarch64", around),
    outputDirectory: await findOutput(output ?? "images", around),
    nodes,
  });
}

async function composeNode(
  tables: ClusterTables,
  own: NodeTables,
  around: Surroundings,
  fanJudge: FanJudge,
): Promise<Omit<Node, "network">> {
  const image = mergeTable({ table: tables.image, path: "image" }, placed(own.image, own, "image"));
  const user = mergeTable({ table: tables.user, path: "user" }, placed(own.user, own, "user"), (values) => [
    ...(values.password_file === undefined ? [] : (["password_hash"] as const)),
    ...(values.password_hash === undefined ? [] : (["password_file"] as const)),
  ]);
  const ssh = mergeTable({ table: tables.ssh, path: "ssh" }, placed(own.ssh, own, "ssh"));
  const wifi = mergeTable({ table: tables.wifi, path: "wifi" }, placed(own.wifi, own, "wifi"), (values) =>
    values.security === "open" ? ["psk_file", "store_passphrase"] : [],
  );
  const isOn = (name: "wifi" | "fan") =>
    own[name] !== "off" && (own[name] !== undefined || tables.present.has(name));
  const node = {
    name: own.identity.values.name ?? "",
    role: own.identity.values.role ?? "node",
    image: await imageSettings(image, around),
    user: await userSettings(user, around),
    ssh: await sshSettings(ssh, user, around),
    wifi: isOn("wifi") ? await wifiSettings(wifi, around) : null,
    fan: isOn("fan")
      ? fanSettings(
          tables.fan,
          placed(own.fan, own, "fan"),
          image.values.config_txt ?? [],
          fanJudge,
          around.diagnosis,
        )
      : null,
  };
  if (node.role !== monitorRole && nearest(node.role, [monitorRole]) !== undefined)
    around.diagnosis.warn(
      `${own.path}.role`,
      `"${node.role}" is a name like any other`,
      `the node that gets Prometheus has role = "${monitorRole}"`,
    );
  for (const [index, file] of node.image.files.entries()) {
    const flaw = ownFileFlaw(file, node);
    if (flaw !== null) around.diagnosis.add(`${image.keyOf("files")}[#${index + 1}].path`, flaw, file.path);
  }
  return node;
}

function placed<T>(
  table: T | "off" | undefined,
  node: NodeTables,
  name: string,
): { table: T; path: string } | undefined {
  return table === undefined || table === "off"
    ? undefined
    : { table: table as T, path: `${node.path}.${name}` };
}

/** Whether berry ships a target of that name is for the imager to say. */
async function findTarget(target: string, around: Surroundings): Promise<string> {
  if (!isTargetPath(target)) return target;
  const path = around.files.resolve(around.folder, target);
  await findFile(path, "image.target", target, around);
  return path;
}

async function findOutput(output: string, around: Surroundings): Promise<string> {
  const path = around.files.resolve(around.folder, output);
  const { kind } = await around.files.look(path);
  if (kind === "file" || kind === "other") {
    around.diagnosis.add(
      "image.output",
      { problem: "not a folder", remedy: "name a folder; it is made when it is missing" },
      output,
    );
  }
  return path;
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freeze(part);
  return Object.freeze(value);
}
