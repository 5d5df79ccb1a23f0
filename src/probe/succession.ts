import type { Answer } from "./health.ts";
import { type Heard, isConfirmed, isSaidAt } from "./rows/group-sightings.ts";
import { hostKey } from "./rows/keys.ts";
import type { Sighting } from "./sighting.ts";

/** A node that is followed. */
export interface Followed extends Heard {
  /** When its announcement ended; null: it stands. */
  readonly goneAt: number | null;
}

/** Whether that is the board whose announcement has ended: at a place of its, or with its serial and the old silent. */
export function isSameBoard({ sighting: old, answer }: Followed, sighting: Sighting): boolean {
  const isNumbered = old.serial !== null && sighting.serial !== null;
  if (isNumbered && old.serial !== sighting.serial) return false;
  if (!isNumbered && hostKey(old.host) !== hostKey(sighting.host)) return false;
  return isOneSource(old, sighting) || (isNumbered && answer?.answer !== "page");
}

export function isAnswerAt(answer: Answer | null, { addresses }: Sighting): boolean {
  return answer?.answer === "page" && addresses.some(({ address }) => address === answer.address);
}

/** Whether both were told by one machine, as far as is known. */
export function isOneSource(one: Sighting, other: Sighting): boolean {
  if (one.sender !== undefined && one.sender === other.sender) return true;
  const known = new Set(one.addresses.map(({ address, zone }) => `${address}%${zone}`));
  return (
    one.port === other.port && other.addresses.some(({ address, zone }) => known.has(`${address}%${zone}`))
  );
}

/**
 * Whether another node stands for one whose announcement has ended: one that is announced still, and answers at its
 * address, or under its name or serial where it does not answer itself. One that answers as itself has no successor.
 */
export function isReplaced(entry: Followed, entries: readonly Followed[]): boolean {
  const { sighting, answer } = entry;
  const isPage = answer?.answer === "page";
  return entries.some((other) => {
    if (other === entry || other.goneAt !== null) return false;
    if (isSameBoard(entry, other.sighting) && (!isPage || isAnswerAt(answer, other.sighting))) return true;
    if (other.answer?.answer !== "page") return false;
    if (isPage) {
      const isRumour = !isConfirmed(entry) || (isSaidAt(other) && !isSaidAt(entry));
      return other.answer.address === answer.address && isRumour;
    }
    return hostKey(other.sighting.host) === hostKey(sighting.host) && isConfirmed(other);
  });
}
