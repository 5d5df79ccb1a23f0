import type { Clock } from "../core/ports.ts";
import type { Discovery, DiscoveryRequest } from "./discovery-port.ts";
import type { Answer } from "./health.ts";
import { type Ask, hasRoom, isAskedAlike, isCrowded, keyOf } from "./look.ts";
import type { Heard } from "./rows/group-sightings.ts";
import { isAnswerAt, isOneSource, isReplaced, isSameBoard } from "./succession.ts";
import { noRest, type Rest, isPatient, restAfterLate, restAfterRound } from "./rest.ts";
import type { Sighting } from "./sighting.ts";

export interface FollowOptions {
  /** How often every node is asked again: a round. One that does not answer in time is left alone for some of them. */
  readonly everyMilliseconds: number;
  /** What is known already, such as of a look. */
  readonly known?: readonly Heard[];
  /** How long a node is still listed, and asked, after its announcement has ended; one that answers always is. */
  readonly forgetMilliseconds: number;
}

interface Entry {
  sighting: Sighting;
  answer: Answer | null;
  /** Where it answered last; undefined: it never did. */
  answeredAt: string | undefined;
  isBeingAsked: boolean;
  /** From being asked. */
  rest: Rest;
  /** From being asked for its units: a Pi that answers at once may take two seconds for them. */
  unitsRest: Rest;
  /** Whether listening has told of it, not a look alone. */
  isHeard: boolean;
  /** When something told of it last. */
  toldAt: number;
  /** When its announcement ended; null: it stands. */
  goneAt: number | null;
}

const newEntry = {
  isBeingAsked: false,
  rest: noRest,
  unitsRest: noRest,
  isHeard: false,
  goneAt: null,
} as const;

/**
 * Listening alone may miss somebody for minutes: responders do not repeat to this machine what they believe that it
 * knows (RFC 6762, section 7.1), and they cannot tell two who ask from one address. A look is answered to itself.
 */
const lookEveryMilliseconds = 60_000;
/** Whom looks alone have told of, and three in a row do not, has gone. */
const unlookedMilliseconds = 3.5 * lookEveryMilliseconds;

/**
 * Follows the nodes until it is aborted: who is announced is asked at once, and all of them again and again. Found is
 * not alive, and gone is not dead.
 * @param onChange gets all that is known after everything that is new
 * @throws what the search throws, at last the signal's reason
 */
export async function follow(
  request: DiscoveryRequest,
  ports: { readonly discovery: Discovery; readonly ask: Ask; readonly clock: Clock },
  options: FollowOptions,
  onChange: (heard: readonly Heard[]) => void,
  signal: AbortSignal,
): Promise<never> {
  signal.throwIfAborted();
  const { discovery, ask, clock } = ports;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const failed = Promise.withResolvers<never>();
  const entries = new Map(
    (options.known ?? []).map(({ sighting, answer }): [string, Entry] => [
      keyOf(sighting),
      { ...newEntry, sighting, answer, answeredAt: addressOf(answer), toldAt: clock.now() },
    ]),
  );
  const tell = () =>
    onChange(
      [...entries.values()].map(({ sighting, answer, answeredAt }) => ({
        sighting,
        answer,
        ...(answeredAt === undefined ? {} : { answeredAt }),
      })),
    );

  const askAgain = async (entry: Entry): Promise<void> => {
    if (entry.isBeingAsked) return;
    entry.isBeingAsked = true;
    for (;;) {
      const { sighting } = entry;
      const isWithoutUnits = entry.unitsRest.rounds > 0;
      const answer = await ask(sighting, either, { isWithoutUnits });
      if (answer.answer !== "page" && !isAskedAlike(sighting, entry.sighting)) continue;
      entry.isBeingAsked = false;
      // nothing is new: not its fault
      if (answer.answer === "none" && answer.isUnasked === true && entry.answer !== null) return;
      entry.rest = answer.answer === "none" && answer.isLate === true ? restAfterLate(entry.rest) : noRest;
      if (answer.answer === "page" && !isWithoutUnits)
        entry.unitsRest = answer.isLate === true ? restAfterLate(entry.unitsRest) : noRest;
      entry.answeredAt = addressOf(answer) ?? entry.answeredAt;
      entry.answer = isPatient(entry.unitsRest) ? withUnitsOf(entry.answer, answer) : answer;
      tell();
      return;
    }
  };
  const start = (entry: Entry): void => {
    askAgain(entry).catch(failed.reject);
  };
  const lookToo = async (): Promise<void> => {
    if (request.via !== "mdns") return;
    // whatever is wrong with the network, the search that goes on says it
    await discovery.browse({ ...request, hosts: [] }, onMissed, either).catch(() => undefined);
  };
  const rounds = async (): Promise<never> => {
    let lookAt = clock.now();
    for (;;) {
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + lookEveryMilliseconds;
        void lookToo();
      }
      await clock.sleep(options.everyMilliseconds, either);
      for (const [key, entry] of entries) {
        const { isHeard, toldAt, sighting } = entry;
        if (!isHeard && sighting.source === "mdns" && clock.now() - toldAt > unlookedMilliseconds)
          entry.goneAt ??= clock.now();
        const isForgotten =
          entry.goneAt !== null &&
          (isReplaced(entry, [...entries.values()]) ||
            (entry.answer?.answer !== "page" && clock.now() - entry.goneAt >= options.forgetMilliseconds));
        if (isForgotten) {
          entries.delete(key);
          tell();
          continue;
        }
        entry.rest = restAfterRound(entry.rest);
        entry.unitsRest = restAfterRound(entry.unitsRest);
        if (entry.rest.rounds === 0) start(entry);
      }
    }
  };
  const onSeen = (sighting: Sighting, key = keyOf(sighting)): void => {
    const known = entries.get(key);
    if ((known === undefined || !isAskedAlike(known.sighting, sighting)) && isCrowded(entries, key, sighting))
      return;
    let inherited: Answer | null = null;
    // a board that came back under another name is not two
    for (const [other, old] of entries)
      if (other !== key && old.goneAt !== null && isSameBoard(old, sighting)) {
        entries.delete(other);
        if (isAnswerAt(old.answer, sighting)) inherited = old.answer;
      }
    if (known === undefined) {
      if (!hasRoom(entries, sighting)) return;
      const entry: Entry = {
        ...newEntry,
        sighting,
        answer: inherited,
        answeredAt: addressOf(inherited),
        toldAt: clock.now(),
      };
      entries.set(key, entry);
      start(entry);
      return;
    }
    const isElsewhere = !isAskedAlike(known.sighting, sighting);
    known.sighting = sighting;
    known.goneAt = null;
    known.toldAt = clock.now();
    known.rest = noRest;
    known.unitsRest = noRest;
    if (isElsewhere) start(known);
    tell();
  };
  /**
   * Of a look, which may know less of a node than listening does. Where listening has heard it from another machine,
   * both are asked.
   */
  const onMissed = (sighting: Sighting): void => {
    const key = keyOf(sighting);
    const known = entries.get(key);
    if (known === undefined || !known.isHeard) onSeen(sighting, key);
    else if (!isOneSource(known.sighting, sighting)) onSeen(sighting, `${key} of ${sighting.sender}`);
    else if (known.answer?.answer !== "page") onSeen(sighting, key);
  };
  const onGone = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entry.goneAt = clock.now();
    if (isReplaced(entry, [...entries.values()])) entries.delete(key);
    else start(entry);
    tell();
  };

  const watching = discovery.watch(
    request,
    (event) => {
      if (event.event === "seen") {
        onSeen(event.sighting);
        const entry = entries.get(keyOf(event.sighting));
        if (entry !== undefined) entry.isHeard = true;
      } else onGone(`instance ${event.instance}`);
    },
    either,
  );
  for (const entry of entries.values()) if (entry.answer?.answer !== "page") start(entry);
  const asking = rounds();
  for (const promise of [watching, asking]) promise.catch(() => undefined);
  try {
    await Promise.race([watching, asking, failed.promise]);
    signal.throwIfAborted();
    throw new Error("the search for nodes has ended by itself");
  } finally {
    over.abort();
  }
}

/** What a page says, with the units of the one before, where it has none: they seldom change. */
function withUnitsOf(before: Answer | null, answer: Answer): Answer {
  if (before?.answer !== "page" || answer.answer !== "page" || before.address !== answer.address)
    return answer;
  const { health } = answer;
  return { ...answer, health: { ...health, failedUnits: health.failedUnits ?? before.health.failedUnits } };
}

function addressOf(answer: Answer | null): string | undefined {
  return answer?.answer === "page" ? answer.address : undefined;
}
