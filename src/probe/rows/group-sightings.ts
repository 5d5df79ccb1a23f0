import type { Answer } from "../health.ts";
import type { Address, Sighting } from "../sighting.ts";

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
}

/**
 * Puts together what was heard of one board: over several interfaces, by several names of the user, under the second
 * name that avahi gives. Two serials are two boards. One serial under two host names is believed only where they have
 * an address in common: on a network that knows no passwords, anybody can say it.
 */
export function groupSightings(heard: readonly Heard[]): readonly Board[] {
  const announced = heard.filter(({ sighting }) => sighting.source !== "user");
  const named = heard.filter(({ sighting }) => sighting.source === "user");
  let boards: readonly Board[] = [];
  for (const each of [...announced, ...named]) {
    let merged: Board = { serial: serialOf(each.sighting), heard: [each] };
    const others: Board[] = [];
    for (const board of boards) {
      if (isSameBoard(board, merged))
        merged = { serial: board.serial ?? merged.serial, heard: [...board.heard, ...merged.heard] };
      else others.push(board);
    }
    boards = [...others, merged];
  }
  return boards;
}

function isSameBoard(one: Board, other: Board): boolean {
  if (one.serial !== null && other.serial !== null && one.serial !== other.serial) return false;
  return one.heard.some(({ sighting: left }) =>
    other.heard.some(({ sighting: right }) =>
      baseOf(left.host) === baseOf(right.host)
        ? isSameHost(one, other, left, right)
        : sharesEndpoint(left, right),
    ),
  );
}

/** `pi1` and `pi1-2` may be two boards: only a serial says that they are not. */
function isSameHost(one: Board, other: Board, left: Sighting, right: Sighting): boolean {
  if (one.serial !== null && one.serial === other.serial) return true;
  // in another domain, it is another host
  const isAlike = left.host.toLowerCase() === right.host.toLowerCase() && left.port === right.port;
  return isAlike || sharesEndpoint(left, right);
}

/** The serial without a difference of case; a row of zeros, as emulators have it, is none. */
function serialOf({ serial }: Sighting): string | null {
  const key = serial?.trim().toLowerCase() ?? "";
  return key === "" || /^0+$/.test(key) ? null : key;
}

export function sharesEndpoint(left: Sighting, right: Sighting): boolean {
  return (
    left.port === right.port &&
    left.addresses.some((one) => right.addresses.some((other) => isSameAddress(one, other)))
  );
}

/** A link-local address is another host's on each interface. */
function isSameAddress(one: Address, other: Address): boolean {
  if (one.address.toLowerCase() !== other.address.toLowerCase()) return false;
  return !/^(?:fe[89ab]|169\.254\.)/i.test(one.address) || one.zone === other.zone;
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
