import { BerryError } from "../../core/errors.ts";

/** An interface, as the system tells of it. */
export interface InterfaceFacts {
  readonly name: string;
  /** With their prefix lengths, such as `192.168.1.5/24`, in both families. */
  readonly networks: readonly string[];
  readonly isLoopback: boolean;
  /** IFF_UP, IFF_RUNNING and IFF_MULTICAST (netdevice(7)). */
  readonly isUp: boolean;
  readonly canMulticast: boolean;
  /** A bridge, such as docker0; the networks of containers and virtual machines hang on them. */
  readonly isBridge: boolean;
  /** Has a device of its own: a card or a USB adapter. */
  readonly isPhysical: boolean;
  /** What the kernel calls it: `wlan`, `vlan`, `bond`, `veth`, `tun`…; null: it says nothing. */
  readonly kind: string | null;
}

/** One interface in one family: a socket of its own. */
export interface Link {
  readonly name: string;
  readonly family: 4 | 6;
  /** Of this machine: an IPv4 address, or null where IPv6 names the interface. */
  readonly address: string | null;
  /** Such as `192.168.1.5/24`: from there come packets that were sent on this link. */
  readonly networks: readonly string[];
}

/** Where containers, virtual machines and tunnels live; no board does. */
const virtualName =
  /^(docker|veth|br-|virbr|vnet|cni|flannel|cali|cilium|lxc|lxd|vmnet|vboxnet|podman|kube-|nerdctl|ifb|dummy|tun|tap|wg|tailscale|zt|utun)/;
const virtualKinds = new Set([
  "tun",
  "tap",
  "wireguard",
  "ifb",
  "dummy",
  "vxlan",
  "geneve",
  "gretap",
  "ipip",
  "sit",
]);

/**
 * The interfaces to be asked, one entry a family: all real ones, or those that the user names, whatever they are.
 * @throws BerryError `usage` for a name that there is not, `unavailable` where nothing is left to be asked
 */
export function chooseLinks(facts: readonly InterfaceFacts[], named: readonly string[]): Link[] {
  const usable = facts.filter(({ isUp, canMulticast }) => isUp && canMulticast);
  for (const name of named) {
    const wanted = facts.find((fact) => fact.name === name);
    if (wanted === undefined)
      throw new BerryError("usage", `--iface: there is no interface ${name}`, { hint: whichThereAre(facts) });
    if (!wanted.isUp || !wanted.canMulticast)
      throw new BerryError(
        "unavailable",
        `interface ${name} ${wanted.isUp ? "has no multicast" : "is down"}`,
        {
          hint: wanted.isUp ? whichThereAre(usable) : `sudo ip link set ${name} up`,
        },
      );
  }
  const chosen = named.length > 0 ? facts.filter(({ name }) => named.includes(name)) : usable.filter(isReal);
  const links = chosen.flatMap(linksOf);
  if (links.length === 0) {
    const others = usable.length === 0 ? "" : `, or name one with --iface: ${whichThereAre(usable)}`;
    throw new BerryError("unavailable", "no network interface can be asked for nodes", {
      hint: named.length > 0 ? "give it an address" : `connect a network${others}`,
    });
  }
  return links;
}

/**
 * Refuses interfaces that there are not, however nodes are looked for.
 * @param zones of link-local addresses: names, or numbers that the kernel judges
 * @throws BerryError `usage`
 */
export function checkInterfaces(
  facts: readonly InterfaceFacts[],
  named: readonly string[],
  zones: readonly string[],
): void {
  const strange = (flag: string, name: string) =>
    new BerryError("usage", `${flag}: there is no interface ${name}`, { hint: whichThereAre(facts) });
  const isThere = (name: string) => facts.some((fact) => fact.name === name);
  for (const name of named) if (!isThere(name)) throw strange("--iface", name);
  for (const zone of zones) if (!/^\d+$/.test(zone) && !isThere(zone)) throw strange("--host", zone);
}

function isReal(facts: InterfaceFacts): boolean {
  if (facts.isLoopback) return false;
  if (facts.isPhysical) return true;
  if (facts.isBridge) return !virtualName.test(facts.name);
  return !virtualName.test(facts.name) && !virtualKinds.has(facts.kind ?? "");
}

function linksOf({ name, networks }: InterfaceFacts): Link[] {
  const [address] = networks.find((network) => !network.includes(":"))?.split("/") ?? [];
  const links: Link[] = address === undefined ? [] : [{ name, family: 4, address, networks }];
  if (networks.some((network) => network.includes(":")))
    links.push({ name, family: 6, address: null, networks });
  return links;
}

function whichThereAre(facts: readonly InterfaceFacts[]): string {
  const names = facts.map(({ name }) => name).sort();
  return names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
}
