import type { Answer } from "../health.ts";
import type { Sighting } from "../sighting.ts";

/** A sighting, and what came of asking; null: it is being asked. */
export interface Heard {
  readonly sighting: Sighting;
  readonly answer: Answer | null;
}

/** All that was heard of one board. */
export interface Board {
  /** null: it did not say. */
  readonly serial: string | null;
  /** At least one; what was announced comes before what the user named. */
  readonly heard: readonly Heard[];
  /** Where it may be asked. */
  readonly endpoints: ReadonlySet<string>;
  /** What it is called, with the port. */
  readonly hosts: ReadonlySet<string>;
  /** What it is called, but for a number that avahi may have put behind it. */
  readonly bases: ReadonlySet<string>;
}

/**
 * Puts together what was heard of one board: over several interfaces, by several names of the user, under the second
 * name that avahi gives. Two serials are two boards. Nothing that is announced is believed because it came first: whom
 * a page confirms comes first, then whom berry.toml knows, and the result does not depend on the order.
 * @param known names of berry.toml, as `hostKey` has them
 */
export function groupSightings(heard: readonly Heard[], known: ReadonlySet<string>): readonly Board[] {
  const scored = heard.map((each) => ({ each, score: scoreOf(each, known), text: textOf(each) }));
  scored.sort((one, other) => other.score - one.score || (one.text < other.text ? -1 : 1));
  const sorted = scored.map(({ each }) => each);
  const announced = sorted.filter(({ sighting }) => sighting.source !== "user");
  const named = sorted.filter(({ sighting }) => sighting.source === "user");
  const boards: Board[] = [];
  for (const each of [...announced, ...named]) {
    const own = boardOf(each);
    const at = boards.findIndex((board) => isSameBoard(board, own, each));
    const board = boards[at];
    if (board === undefined) boards.push(own);
    else boards[at] = union(board, own);
  }
  return boards;
}

/** How far it is to be believed that it is the host as which it is announced. */
function scoreOf({ sighting, answer }: Heard, known: ReadonlySet<string>): number {
  const { host, sender, addresses } = sighting;
  const isPage = answer?.answer === "page";
  return (
    (isConfirmed({ sighting, answer }) ? 32 : 0) +
    (isPage ? 16 : 0) +
    (isPage && answer.address === sender ? 8 : 0) +
    (known.has(hostKey(host)) || known.has(baseOf(host)) ? 4 : 0) +
    (addresses.some(({ address }) => address === sender) ? 2 : 0) +
    (answer?.answer === "garbage" ? 1 : 0)
  );
}

function textOf({ sighting, answer }: Heard): string {
  const { host, port, serial, sender } = sighting;
  return JSON.stringify([host, port, serial, sender, sighting, answer]);
}

/** Whether the page that it answered with names the host as which it is announced. */
export function isConfirmed({ sighting, answer }: Heard): boolean {
  const name = answer?.answer === "page" ? answer.health.hostName : null;
  return name !== null && [hostKey(sighting.host), baseOf(sighting.host)].includes(hostKey(name));
}

function boardOf(heard: Heard): Board {
  const { sighting } = heard;
  return {
    serial: serialOf(sighting),
    heard: [heard],
    endpoints: endpointsOf(sighting),
    // in another domain, it is another host
    hosts: new Set([`${sighting.host.toLowerCase()} ${sighting.port}`]),
    bases: new Set([baseOf(sighting.host)]),
  };
}

function union(one: Board, other: Board): Board {
  return {
    serial: one.serial ?? other.serial,
    heard: [...one.heard, ...other.heard],
    endpoints: one.endpoints.union(other.endpoints),
    hosts: one.hosts.union(other.hosts),
    bases: one.bases.union(other.bases),
  };
}

/**
 * Whoever does not answer adds nothing to a board, so that it may belong to whom it names. Two that answer are one
 * board where the same address has answered, where one claims no address that the other has not, or where they are
 * the same machine by their pages and were seen on two networks.
 */
function isSameBoard(board: Board, own: Board, { sighting, answer }: Heard): boolean {
  const areBothNumbered = board.serial !== null && own.serial !== null;
  if (areBothNumbered && board.serial !== own.serial) return false;
  const isShared = !board.endpoints.isDisjointFrom(own.endpoints);
  const pages = board.heard.flatMap((each) => (each.answer?.answer === "page" ? [each] : []));
  if (answer?.answer !== "page" || pages.length === 0) {
    if (isShared) return true;
    if (!areBothNumbered) return !board.hosts.isDisjointFrom(own.hosts);
    return board.heard.some((other) => hostKey(other.sighting.host) === hostKey(sighting.host));
  }
  const isOwn = sighting.addresses.some(({ address }) => address === sighting.sender);
  return pages.some((other) => {
    const page = other.answer?.answer === "page" ? other.answer : null;
    if (page === null) return false;
    if (isShared && (page.address === answer.address || sighting.sender === other.sighting.sender))
      return true;
    if (isShared && (sighting.sender === undefined || other.sighting.sender === undefined)) return true;
    if (isShared && !isOwn && own.endpoints.isSubsetOf(endpointsOf(other.sighting))) return true;
    const isCalledAlike = areBothNumbered
      ? baseOf(other.sighting.host) === baseOf(sighting.host)
      : !board.hosts.isDisjointFrom(own.hosts);
    return isCalledAlike && isElsewhere(other.sighting, sighting) && isSameMachine(page, answer);
  });
}

/** Whether nothing that one of them was seen through is what the other one was seen through. */
function isElsewhere(one: Sighting, other: Sighting): boolean {
  if (one.source === "user" || other.source === "user") return true;
  const zones = ({ addresses }: Sighting) => new Set(addresses.map(({ zone }) => zone));
  return zones(one).isDisjointFrom(zones(other));
}

type PageAnswer = Extract<Answer, { readonly answer: "page" }>;

function isSameMachine({ health: one }: PageAnswer, { health: other }: PageAnswer): boolean {
  return (
    one.hostName !== null &&
    one.hostName === other.hostName &&
    one.bootTime !== null &&
    one.bootTime === other.bootTime
  );
}

/** The serial without a difference of case; a row of zeros, as emulators have it, is none. */
function serialOf({ serial }: Sighting): string | null {
  const key = serial?.trim().toLowerCase() ?? "";
  return key === "" || /^0+$/.test(key) ? null : key;
}

/** Where a board may be asked. A link-local address is another host's on each interface. */
function endpointsOf({ addresses, port }: Sighting): ReadonlySet<string> {
  return new Set(
    addresses.map(({ address, zone }) => {
      const isLinkLocal = /^(?:fe[89ab]|169\.254\.)/i.test(address);
      return `${address.toLowerCase()}%${isLinkLocal ? zone : ""} ${port}`;
    }),
  );
}

/** Host names have no case (RFC 4343), and berry.toml knows them without a domain. */
export function hostKey(host: string): string {
  const key = host.toLowerCase().replace(/\.$/, "");
  return /^[\d.]+$|:/.test(key) ? key : (key.split(".", 1)[0] ?? key);
}

/** `pi1` of `pi1-2`, which is what avahi makes of the second `pi1` of a network (RFC 6762, section 9). */
export function baseOf(host: string): string {
  return hostKey(host).replace(/(?<=.)-\d{1,3}$/, "");
}
