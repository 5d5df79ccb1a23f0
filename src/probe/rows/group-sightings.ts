import type { Answer } from "../health.ts";
import type { Sighting } from "../sighting.ts";
import { baseOf, endpointsOf, hostKey, serialOf } from "./keys.ts";

/** A sighting, and what came of asking; null: it is being asked. */
export interface Heard {
  readonly sighting: Sighting;
  readonly answer: Answer | null;
  /** Where it answered last, though it does not now; undefined: it never did, as far as is known. */
  readonly answeredAt?: string | undefined;
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
 * name that avahi gives. Two serials are two boards, but not at one address and port. Nothing that is announced is
 * believed because it came first: who speaks from the address that answered comes first, then whom a page confirms,
 * then whom berry.toml knows. Only where nothing of that tells two apart, the order does.
 * @param known names of berry.toml, as `hostKey` has them
 */
export function groupSightings(heard: readonly Heard[], known: ReadonlySet<string>): readonly Board[] {
  const turns = new Map(heard.map((each, turn) => [each, turn]));
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
  const scores = new Map(scored.map(({ each, score }) => [each, score]));
  return boards.map((board) =>
    ownerFirst(board, (one, other) => {
      const byScore = (scores.get(other) ?? 0) - (scores.get(one) ?? 0);
      return byScore || (turns.get(one) ?? 0) - (turns.get(other) ?? 0);
    }),
  );
}

/**
 * Of all who claim the place that answered, the one that speaks from there comes first, and its serial is the board's.
 * It may not have been asked yet, or again: what answered there is its page.
 */
function ownerFirst(board: Board, compare: (one: Heard, other: Heard) => number): Board {
  const [first] = board.heard;
  if (first?.answer?.answer !== "page" || first.sighting.source === "user") return board;
  const { answer } = first;
  const [owner] = board.heard
    .filter(
      ({ sighting }) => sighting.source !== "user" && isSharedBy(answer.address, [first.sighting, sighting]),
    )
    .sort(
      (one, other) =>
        Number(isSaidAt(other, answer.address)) - Number(isSaidAt(one, answer.address)) ||
        compare(one, other),
    );
  if (owner === undefined || owner === first) return board;
  const isAnswered = owner.answer?.answer === "page" && owner.answer.address === answer.address;
  const heard = board.heard.filter((each) => each !== owner);
  return {
    ...board,
    serial: serialOf(owner.sighting) ?? board.serial,
    heard: [isAnswered ? owner : { ...owner, answer }, ...heard],
  };
}

/** Where it answers, or has answered last. */
function placeOf({ answer, answeredAt }: Heard): string | undefined {
  return answer?.answer === "page" ? answer.address : answeredAt;
}

/** Whether it comes from the very address that answered. */
export function isSaidAt(heard: Heard, address = placeOf(heard)): boolean {
  return address !== undefined && heard.sighting.sender?.split("%", 1)[0] === address;
}

/** Whether the address is one place to all of them: at one port, and on one link where it matters. */
function isSharedBy(address: string, sightings: readonly [Sighting, Sighting]): boolean {
  const [one, other] = sightings.map((sighting) => {
    const addresses = sighting.addresses.filter((each) => each.address === address);
    return endpointsOf({ ...sighting, addresses });
  });
  return one !== undefined && other !== undefined && !one.isDisjointFrom(other);
}

/** How far it is to be believed that it is the host as which it is announced. */
function scoreOf(heard: Heard, known: ReadonlySet<string>): number {
  const { sighting, answer } = heard;
  const { host } = sighting;
  const isPage = answer?.answer === "page";
  return (
    (isConfirmed(heard) ? 32 : 0) +
    (isPage ? 16 : 0) +
    (isSaidAt(heard) ? 8 : 0) +
    (known.has(hostKey(host)) || known.has(baseOf(host)) ? 4 : 0) +
    (isOfItself(sighting) ? 2 : 0) +
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
function isSameBoard(board: Board, own: Board, heard: Heard): boolean {
  const { sighting, answer } = heard;
  const areBothNumbered = board.serial !== null && own.serial !== null;
  if (areBothNumbered && board.serial !== own.serial)
    return board.heard.some((other) => isOneMachine(other, heard));
  const isShared = !board.endpoints.isDisjointFrom(own.endpoints);
  const pages = board.heard.flatMap((each) => (each.answer?.answer === "page" ? [each] : []));
  if (answer?.answer !== "page" || pages.length === 0) {
    if (isShared) return true;
    if (!areBothNumbered) return !board.hosts.isDisjointFrom(own.hosts);
    return board.heard.some((other) => hostKey(other.sighting.host) === hostKey(sighting.host));
  }
  const isOwn = isOfItself(sighting);
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

/** Whether it comes from an address that it claims. */
function isOfItself({ sender, addresses }: Sighting): boolean {
  return addresses.some(({ address, zone }) => address === sender || `${address}%${zone}` === sender);
}

/**
 * Whether two that are announced with two serials are one machine, of which one of them does not speak the truth: both
 * answered at one address and port; or one is told from elsewhere of what the other one tells of itself. An address
 * that was passed on is none: its page names the one, and the other is called otherwise.
 */
function isOneMachine(one: Heard, other: Heard): boolean {
  const place = placeOf(one);
  const isCalledAlike = baseOf(one.sighting.host) === baseOf(other.sighting.host);
  if (place !== undefined && place === placeOf(other) && isSharedBy(place, [one.sighting, other.sighting])) {
    if (isCalledAlike || isConfirmed(one) === isConfirmed(other)) return true;
    return isSaidAt(isConfirmed(one) ? other : one);
  }
  if (one.answer?.answer === "page" && other.answer?.answer === "page") return false;
  const isRumour = (rumour: Sighting, truth: Sighting) =>
    rumour.sender !== undefined &&
    !isOfItself(rumour) &&
    isOfItself(truth) &&
    endpointsOf(rumour).isSubsetOf(endpointsOf(truth));
  return isCalledAlike && (isRumour(one.sighting, other.sighting) || isRumour(other.sighting, one.sighting));
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
