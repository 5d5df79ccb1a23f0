import type { Clock } from "../core/ports.ts";
import type { Answer } from "./health.ts";
import type { Ask } from "./look.ts";
import type { Sighting } from "./sighting.ts";

/** Pages in flight: what they take of time and memory at most, whoever answers. */
const mostAtOnce = 32;
const mostAtOnceOfMachine = 4;
/** How long somebody who was announced may wait for its turn: who has invented hundreds does not keep a look from its end. */
const patienceMilliseconds = 3000;

const unasked: Answer = { answer: "none", why: "not asked: too many nodes are announced", isUnasked: true };

interface Waiting {
  readonly sighting: Sighting;
  start(): void;
}

/**
 * Asks a few at a time; the others wait, and none of that is of the time that they have for their answer. Whose sender
 * has the fewest pages in flight is the next.
 */
export function askInTurn(ask: Ask, clock: Clock): Ask {
  const inFlight = new Set<Sighting>();
  const waiting = new Set<Waiting>();
  const startNext = (): void => {
    while (inFlight.size < mostAtOnce) {
      const free = [...waiting].filter(({ sighting }) => !isMachineBusy(inFlight, sighting));
      const [next] = free.toSorted((one, other) => flightsOf(one) - flightsOf(other));
      if (next === undefined) return;
      waiting.delete(next);
      inFlight.add(next.sighting);
      next.start();
    }
  };
  const flightsOf = ({ sighting }: Waiting) =>
    [...inFlight].filter((other) => senderOf(other) === senderOf(sighting)).length;
  /** @returns whether its turn has come; @throws the signal's reason */
  const turnOf = async (sighting: Sighting, signal: AbortSignal): Promise<boolean> => {
    const turn = Promise.withResolvers<boolean>();
    const one = { sighting, start: () => turn.resolve(true) };
    waiting.add(one);
    startNext();
    if (!waiting.has(one)) return true;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    either.addEventListener("abort", () => turn.resolve(false), { once: true });
    if (sighting.source !== "user")
      clock.sleep(patienceMilliseconds, either).then(
        () => turn.resolve(false),
        () => undefined,
      );
    try {
      return await turn.promise;
    } finally {
      waiting.delete(one);
      over.abort();
    }
  };
  return async (sighting, signal, options) => {
    signal.throwIfAborted();
    // its own: the same sighting may be asked twice
    const own = { ...sighting };
    const isTurn = await turnOf(own, signal);
    try {
      signal.throwIfAborted();
      return isTurn ? await ask(sighting, signal, options) : unasked;
    } finally {
      if (inFlight.delete(own)) startNext();
    }
  };
}

function isMachineBusy(inFlight: ReadonlySet<Sighting>, sighting: Sighting): boolean {
  let busy = 0;
  for (const other of inFlight) if (isOneMachine(other, sighting)) busy += 1;
  return busy >= mostAtOnceOfMachine;
}

function senderOf({ sender, source, addresses }: Sighting): string {
  return `${source} ${sender ?? addresses[0]?.address}`;
}

/**
 * Whether both were told by the same machine, of the same machine. What somebody says of another's address does not count
 * against that; and a router that passes on what it hears tells of many machines.
 */
export function isOneMachine(one: Sighting, other: Sighting): boolean {
  if (one.sender !== other.sender || (one.source === "user") !== (other.source === "user")) return false;
  return one.addresses.some(({ address }) => other.addresses.some((known) => known.address === address));
}
