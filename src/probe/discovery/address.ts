import { contains, parseAddress, parseNetwork } from "../../config/addresses.ts";
import type { Address } from "../sighting.ts";

/**
 * An address that another host can have: neither loopback nor multicast, unspecified, reserved or IPv4 in disguise.
 * @param zone name of the interface that it was seen through
 * @returns the address in the form of RFC 5952; null for anything else
 */
export function hostAddress(text: string, zone: string | null): Address | null {
  const parsed = parseAddress(text);
  if (parsed === null) return null;
  const { version, value } = parsed;
  if (version === 4) {
    const first = value >> 24n;
    if (first === 0n || first === 127n || first >= 224n) return null;
    return { address: text, family: 4, zone };
  }
  // ::/32 holds the unspecified address, loopback, and those that embed IPv4 (RFC 4291, section 2.5.5)
  if (value >> 96n === 0n || value >> 120n === 0xffn) return null;
  return { address: ipv6Text(value), family: 6, zone };
}

/** RFC 5952, section 4: the longest run of two zeros or more is left out, the first of several. */
function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    const end = groups.findIndex((group, index) => index >= start && group !== 0n);
    const length = (end === -1 ? 8 : end) - start;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly bigint[]) => part.map((group) => group.toString(16)).join(":");
  if (best.length < 2) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

/** Those that can be routed come first, IPv4 before IPv6; then the shorter one, so that the order is always the same. */
export function compareAddresses(left: Address, right: Address): number {
  return (
    rank(left) - rank(right) ||
    left.address.length - right.address.length ||
    compareText(left.address, right.address) ||
    compareText(left.zone ?? "", right.zone ?? "")
  );
}

function compareText(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

function rank({ address, family }: Address): number {
  if (isLinkLocal(address)) return family === 4 ? 2 : 3;
  return family === 4 ? 0 : 1;
}

/** RFC 3927 and RFC 4291, section 2.5.6; of an address in the usual form. */
export function isLinkLocal(text: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(text);
}

/**
 * Whether a packet from there was sent on the link (RFC 6762, section 11): what was not has no business in multicast DNS.
 * @param source may have a zone, such as `fe80::1%eth0`
 * @param networks of the interface, such as `192.168.1.5/24`
 */
export function isOnLink(source: string, link: string, networks: readonly string[]): boolean {
  const [text = "", zone = link] = source.split("%");
  const address = parseAddress(text);
  if (address === null || zone !== link) return false;
  if (address.version === 6 && isLinkLocal(text)) return true;
  return networks.some((network) => {
    const parsed = parseNetwork(network);
    return parsed !== null && contains(parsed, address);
  });
}
