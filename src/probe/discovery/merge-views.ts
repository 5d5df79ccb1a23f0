import type { Address, Sighting } from "../sighting.ts";
import { compareAddresses, isLinkLocal } from "./address.ts";
import type { View } from "./sightings.ts";

const maximumAddresses = 16;
/** More machines are not asked whether they are one instance. */
const maximumClaimants = 128;

/**
 * What is said of one instance by all hosts and on all links: one sighting for each machine that claims it. Anybody can
 * claim anything: a host that sends from one of the addresses which it claims adds nothing to what another such host
 * says of itself. What is said from elsewhere is believed where it adds no address that can be routed.
 * But for the names, the result does not depend on the order: the first one has the instance's name for itself, others
 * have it with their address in brackets.
 * @param earlier what has been told of the instance; a claimant keeps the name that it had then
 */
export function mergeViews(views: readonly View[], earlier: readonly Sighting[]): Sighting[] {
  const claimants: View[][] = [];
  for (const view of [...views].sort(compareViews)) {
    const own = claimants.find((claimant) => claimant.some((other) => isOneHost(other, view)));
    if (own !== undefined) own.push(view);
    else if (claimants.length < maximumClaimants) claimants.push([view]);
  }
  const names = new Map<View[], string | null>();
  for (const claimant of claimants) {
    const known = earlier.find((sighting) => claimant.some((view) => isOf(view, sighting)));
    if (known !== undefined && ![...names.values()].includes(known.instance))
      names.set(claimant, known.instance);
  }
  return claimants.flatMap((claimant) => {
    const sighting = sightingOf(claimant);
    if (sighting === null) return [];
    const isTaken = [...names.values()].includes(sighting.instance);
    const who = sighting.sender ?? sighting.serial ?? "";
    const instance = names.get(claimant) ?? (isTaken ? `${sighting.instance} (${who})` : sighting.instance);
    names.set(claimant, instance);
    return [{ ...sighting, instance }];
  });
}

function isOf({ sender, txt }: View, sighting: Sighting): boolean {
  if (sender !== null || sighting.sender !== undefined) return sender === sighting.sender;
  return (txt.get("serial") || null) === sighting.serial;
}

/** @param first comes before `other` in the order of `compareViews` */
function isOneHost(first: View, other: View): boolean {
  const [serial, otherSerial] = [serialOf(first), serialOf(other)];
  if (serial !== "" && otherSerial !== "" && serial !== otherSerial) return false;
  // avahi has settled already who is who
  if (first.sender === null || other.sender === null)
    return serial === otherSerial || first.host === other.host;
  if (first.port !== other.port) return false;
  if (first.sender === other.sender && isOwn(first)) return true;
  const known = new Set(first.addresses.map(addressKey));
  const isShared = other.addresses.some((address) => known.has(addressKey(address)));
  const isMore = other.addresses.some(
    (address) => !isLinkLocal(address.address) && !known.has(addressKey(address)),
  );
  return isShared && !isMore && (!isOwn(other) || isIpv6(first.sender) !== isIpv6(other.sender));
}

/** Whether it is told from an address that it claims, and that is the same one on every link. */
function isOwn({ sender, addresses }: View): boolean {
  return sender !== null && !isLinkLocal(sender) && addresses.some(({ address }) => address === sender);
}

function isIpv6(sender: string): boolean {
  return sender.includes(":");
}

function serialOf({ txt }: View): string {
  return txt.get("serial") ?? "";
}

/** Who speaks of itself comes first, and IPv4, over which avahi tells all addresses; the rest is for the order's sake. */
function compareViews(one: View, other: View): number {
  const rank = (view: View) =>
    (isOwn(view) ? 0 : 4) + (isIpv6(view.sender ?? "") ? 2 : 0) + (view.txt.size > 0 ? 0 : 1);
  const text = ({ sender, host, port, addresses, txt }: View) =>
    JSON.stringify([sender, host, port, addresses, [...txt]]);
  return rank(one) - rank(other) || (text(one) < text(other) ? -1 : 1);
}

/** One routable address may be seen through two interfaces, a link-local one is another host's on each. */
function addressKey({ address, zone }: Address): string {
  return isLinkLocal(address) ? `${address}%${zone}` : address;
}

function sightingOf(views: readonly View[]): Sighting | null {
  const [first] = views;
  if (first === undefined) return null;
  const fullest = views.find(({ txt }) => txt.size > 0) ?? first;
  const addresses = new Map<string, Address>();
  for (const address of views.flatMap((view) => view.addresses))
    if (!addresses.has(addressKey(address))) addresses.set(addressKey(address), address);
  const senders = new Set(views.map(({ sender }) => sender));
  const isSender = ({ address }: Address) => senders.has(address) && !isLinkLocal(address);
  const rank = (address: Address) => (isSender(address) ? 0 : isLinkLocal(address.address) ? 2 : 1);
  const said = (key: string) => fullest.txt.get(key) || null;
  return {
    instance: first.instance,
    host: first.host,
    addresses: [...addresses.values()]
      .sort((one, other) => rank(one) - rank(other) || compareAddresses(one, other))
      .slice(0, maximumAddresses),
    port: first.port,
    serial: said("serial"),
    model: said("model"),
    role: said("role"),
    version: said("version"),
    source: "mdns",
    ...(first.sender === null ? {} : { sender: first.sender }),
  };
}
