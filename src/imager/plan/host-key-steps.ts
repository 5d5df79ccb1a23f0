import { join } from "node:path";
import type { Cluster, Node } from "../../config/cluster.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import { hostKeyName, hostKeyTypes } from "../host-key-types.ts";
import type { KnownHosts } from "../bake-plan.ts";
import type { Step } from "../step.ts";

/** The keys that the node is known by: an ed25519 key at least, and what else is kept for it. */
export function hostKeySteps(node: Node, facts: HostFacts, root: string): Step[] {
  return keyFiles(node, facts, true).map((source) => ({
    title: `install the host key ${source.split("/").at(-1)}`,
    do: "write-host-key",
    root,
    source,
    path: `/etc/ssh/${source.split("/").at(-1)}`,
  }));
}

/** By their names, their names in mDNS, and the addresses that berry.toml gives them. */
export function knownHosts(cluster: Cluster, baked: readonly Node[], facts: HostFacts): KnownHosts | null {
  const hosts = cluster.nodes.flatMap((node) => {
    const files = keyFiles(node, facts, baked.includes(node));
    return files.length === 0
      ? []
      : [{ names: namesOf(node), publicKeyFiles: files.map((file) => `${file}.pub`) }];
  });
  return hosts.length === 0 ? null : { path: join(cluster.outputDirectory, "known_hosts"), hosts };
}

/** Of the private halves; a node that is baked has its ed25519 key by then. */
function keyFiles({ name, ssh }: Node, facts: HostFacts, isBaked: boolean): string[] {
  const { hostKeys: folder } = ssh;
  if (folder === null) return [];
  const kept = facts.hostKeys[name] ?? [];
  return hostKeyTypes
    .filter((type) => kept.includes(type) || (isBaked && type === "ed25519"))
    .map((type) => join(folder, name, hostKeyName(type)));
}

function namesOf({ name, network }: Node): string[] {
  const addresses = (network.static?.addresses ?? []).map((address) =>
    canonical(address.replace(/\/.*$/, "")),
  );
  return [name, `${name}.local`, ...addresses];
}

/** An IPv6 address as the system spells it, which is how ssh looks it up (RFC 5952). */
function canonical(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
