import type { Check, Flaw } from "./problem.ts";

interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

interface Network extends Address {
  readonly prefixLength: number;
}

/** An IPv4 address in four decimal parts or an IPv6 address (RFC 4291, section 2.2), without a zone; else null. */
export function parseAddress(text: string): Address | null {
  const value = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return value === null ? null : { version: text.includes(":") ? 6 : 4, value };
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined || head === null || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? join(head) : null;
  const missing = 8 - head.length - tail.length;
  if (missing < 1) return null;
  return join([...head, ...Array.from({ length: missing }, () => 0n), ...tail]);
}

/** @param isLast whether an IPv4 address may end the half */
function parseGroups(half: string, isLast: boolean): bigint[] | null {
  if (half === "") return [];
  const groups: bigint[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && isLast && index === parts.length - 1) {
      const embedded = parseIpv4(part);
      if (embedded === null) return null;
      groups.push(embedded >> 16n, embedded & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return null;
  }
  return groups;
}

const join = (groups: readonly bigint[]): bigint =>
  groups.reduce((value, group) => (value << 16n) | group, 0n);

const bitsOf = (version: 4 | 6): number => (version === 4 ? 32 : 128);

/** `192.168.1.11/24`; null when it is anything else. */
export function parseNetwork(text: string): Network | null {
  const parts = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = parts?.[1] === undefined ? null : parseAddress(parts[1]);
  const prefixLength = Number(parts?.[2]);
  if (address === null || prefixLength > bitsOf(address.version)) return null;
  return { ...address, prefixLength };
}

export function contains(network: Network, address: Address): boolean {
  const hostBits = BigInt(bitsOf(network.version) - network.prefixLength);
  return network.version === address.version && network.value >> hostBits === address.value >> hostBits;
}

/** An address that a host can have, with its prefix length: neither the network's own nor its broadcast address. */
export const checkHostAddress: Check = (text) => {
  const network = parseNetwork(text);
  if (network === null) {
    const bare = parseAddress(text);
    if (bare === null)
      return { problem: "not an address with a prefix length", remedy: 'use one such as "192.168.1.11/24"' };
    return {
      problem: "an address without its prefix length",
      remedy: `did you mean "${text}/${bare.version === 4 ? 24 : 64}"?`,
    };
  }
  const unusable = checkUnicast(network);
  if (unusable !== null) return unusable;
  const hostBits = BigInt(bitsOf(network.version) - network.prefixLength);
  if (hostBits < 2n) return null;
  const host = network.value & ((1n << hostBits) - 1n);
  const remedy = "give the node an address inside the network";
  if (host === 0n) return { problem: "the address of the network itself", remedy };
  if (network.version === 4 && host === (1n << hostBits) - 1n)
    return { problem: "the broadcast address of the network", remedy };
  return null;
};

/** The address of another host, without a prefix length. */
export const checkServerAddress: Check = (text) => {
  const address = parseAddress(text);
  if (address === null) return { problem: "not an address", remedy: 'use one such as "192.168.1.1"' };
  return checkUnicast(address, "name another machine");
};

/** A name server may be the node's own. */
export const checkDnsAddress: Check = (text) => {
  const address = parseAddress(text);
  return address !== null && isLoopback(address) ? null : checkServerAddress(text);
};

function isLoopback(address: Address): boolean {
  return address.version === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

function checkUnicast(address: Address, remedy = "give the node an address of its own"): Flaw | null {
  if (isLoopback(address)) return { problem: "a loopback address", remedy };
  const first = address.version === 4 ? address.value >> 24n : address.value >> 120n;
  if (address.version === 4 ? first >= 224n : first === 0xffn)
    return { problem: "a multicast or reserved address", remedy: "use a unicast address" };
  if (address.version === 4 ? first === 0n : address.value === 0n)
    return { problem: "the unspecified address", remedy: "use a unicast address" };
  return null;
}
