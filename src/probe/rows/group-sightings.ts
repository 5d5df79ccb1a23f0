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
 * name that avahi gives. Two serials are two boards. One serial under two host names is believed only where they have
 * an address in common: on a network that knows no passwords, anybody can say it.
 */
export function groupSightings(heard: readonly Heard[]): readonly Board[] {
  const announced = heard.filter(({ sighting }) => sighting.source !== "user");
  const named = heard.filter(({ sighting }) => sighting.source === "user");
  let boards: readonly Board[] = [];
  for (const each of [...announced, ...named]) {
    let merged = boardOf(each);
    const others: Board[] = [];
    for (const board of boards) {
      if (isSameBoard(board, merged)) merged = union(board, merged);
      else others.push(board);
    }
    boards = [...others, merged];
  }
  return boards;
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

/** `pi1` and `pi1-2` may be two boards: only a serial says that they are not. */
function isSameBoard(one: Board, other: Board): boolean {
  const areBothNumbered = one.serial !== null && other.serial !== null;
  if (areBothNumbered && one.serial !== other.serial) return false;
  if (!one.endpoints.isDisjointFrom(other.endpoints)) return true;
  return areBothNumbered ? !one.bases.isDisjointFrom(other.bases) : !one.hosts.isDisjointFrom(other.hosts);
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
