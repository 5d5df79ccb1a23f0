import { contains, parseAddress, parseNetwork } from "./addresses.ts";
import type { NetworkSettings, Node } from "./cluster.ts";
import type { Merged } from "./merge-node.ts";
import { type Diagnosis, show } from "./problem.ts";
import type { networkShape } from "./tables.ts";

type Network = Merged<typeof networkShape>;

/** The wired interface of a node. What is wrong goes to the diagnosis; the value counts only when nothing was. */
export function networkSettings(network: Network, diagnosis: Diagnosis): NetworkSettings {
  const addresses = network.values.address ?? [];
  const gateway = network.values.gateway ?? null;
  if (gateway !== null && !network.failed("address")) checkGateway(network, gateway, addresses, diagnosis);
  return { static: addresses.length === 0 ? null : { addresses, gateway }, dns: network.values.dns ?? [] };
}

function checkGateway(
  network: Network,
  gateway: string,
  addresses: readonly string[],
  diagnosis: Diagnosis,
): void {
  const key = network.keyOf("gateway");
  if (addresses.length === 0) {
    const remedy =
      "give the node an address, or say address = [] in its network table and let DHCP bring the gateway";
    diagnosis.add(key, { problem: "a gateway without an address", remedy }, gateway);
    return;
  }
  const parsed = parseAddress(gateway);
  if (parsed === null) return;
  const networks = addresses.map(parseNetwork).filter((each) => each !== null);
  if (networks.some((each) => each.version === parsed.version && each.value === parsed.value)) {
    diagnosis.add(key, { problem: "the gateway is the node itself", remedy: "name the router" }, gateway);
  }
  // routers of IPv6 are often known by their link-local address alone
  const isLinkLocal = parsed.version === 6 && parsed.value >> 118n === 0x3fan;
  if (!isLinkLocal && !networks.some((each) => contains(each, parsed))) {
    const remedy = "name a router that the node can reach";
    diagnosis.add(key, { problem: `outside the network of ${addresses.join(", ")}`, remedy }, gateway);
  }
}

/** No two nodes may have one address. `keyOf` says where a node's addresses stand in the file. */
export function checkAddressesDiffer(
  nodes: readonly Node[],
  keyOf: (node: Node) => string,
  diagnosis: Diagnosis,
): void {
  const owners = new Map<string, { readonly written: string; readonly nodes: Node[] }>();
  for (const node of nodes) {
    for (const written of node.network.static?.addresses ?? []) {
      const parsed = parseNetwork(written);
      if (parsed === null) continue;
      const identity = `${parsed.version}/${parsed.value}`;
      const owner = owners.get(identity) ?? { written, nodes: [] };
      owner.nodes.push(node);
      owners.set(identity, owner);
    }
  }
  for (const { written, nodes: sharers } of owners.values()) {
    const last = sharers.at(-1);
    if (last === undefined || sharers.length === 1) continue;
    const names = new Set(sharers.map((node) => node.name));
    const problem =
      names.size === 1
        ? "an address given twice"
        : `one address for ${names.size} nodes (${[...names].join(", ")})`;
    diagnosis.add(
      keyOf(last),
      { problem, found: show(written), remedy: "give every node an address of its own" },
      undefined,
    );
  }
}
