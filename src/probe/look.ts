import { isOneMachine } from "./ask-queue.ts";
import type { Discovery, DiscoveryReport, DiscoveryRequest, DiscoveryWarning } from "./discovery-port.ts";
import type { Answer } from "./health.ts";
import type { Heard } from "./rows/group-sightings.ts";
import type { Sighting } from "./sighting.ts";

/** Asks a host for its page, and gives up after a second or so. */
export type Ask = (
  sighting: Sighting,
  signal: AbortSignal,
  options?: { readonly isWithoutUnits?: boolean },
) => Promise<Answer>;

export interface Looked {
  readonly heard: readonly Heard[];
  /** null: enough was found before the look was over. */
  readonly report: DiscoveryReport | null;
}

/** No home has more boards: whoever announces them without end is not asked without end. */
const mostNodes = 512;
/** Of one sender, when there are so many; a board has one or two. */
const modestNodes = 2;

/** Of one machine, on as many ports; a board has one or two. */
const mostOfMachine = 8;

const tooMuch: DiscoveryWarning = {
  message: `more than ${mostNodes} nodes are announced: the others are left out`,
  hint: "somebody on the network may be making them up; --iface NAME looks through one interface alone",
};

function tooManyOf(who: string): DiscoveryWarning {
  return {
    message: `${who} announces more than ${mostOfMachine} nodes: the others are left out`,
    hint: "a board has one or two; --host ADDRESS:PORT asks the others, too",
  };
}

/**
 * Looks once, and asks everybody who is found as soon as it is found.
 * @param isEnough ends the look at once; called after each answer
 * @throws what the search throws, or the signal's reason
 */
export async function look(
  request: DiscoveryRequest,
  { discovery, ask }: { readonly discovery: Discovery; readonly ask: Ask },
  isEnough: (heard: readonly Heard[]) => boolean,
  signal: AbortSignal,
): Promise<Looked> {
  signal.throwIfAborted();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const enough = Promise.withResolvers<null>();
  const told = new Map<string, Heard>();
  const asking = new Map<string, Promise<void>>();
  const heard = () => [...told.values()];

  const askUntilSettled = async (key: string): Promise<void> => {
    for (;;) {
      const sighting = told.get(key)?.sighting;
      if (sighting === undefined) return;
      const answer = await ask(sighting, either);
      const latest = told.get(key)?.sighting ?? sighting;
      // more addresses may have come in the meantime
      if (answer.answer === "page" || isAskedAlike(sighting, latest)) {
        told.set(key, { sighting: latest, answer });
        if (isEnough(heard())) enough.resolve(null);
        return;
      }
    }
  };
  /** While packets came without end, there was no time to hear who answered in time. */
  const askOnceMore = async (): Promise<void> => {
    const silent = [...told].filter(([, { answer }]) => answer?.answer !== "page");
    await Promise.all(silent.map(([key]) => askUntilSettled(key)));
  };
  let isTooMuch = false;
  const crowded = new Set<string>();
  const onSighting = (sighting: Sighting): void => {
    const key = keyOf(sighting);
    const before = told.get(key);
    if (before === undefined && !hasRoom(told, sighting)) {
      isTooMuch = true;
      return;
    }
    if (
      (before === undefined || !isAskedAlike(before.sighting, sighting)) &&
      isCrowded(told, key, sighting)
    ) {
      crowded.add(sighting.sender ?? sighting.addresses[0]?.address ?? sighting.host);
      return;
    }
    const isAnswered =
      before !== undefined &&
      before.answer !== null &&
      (before.answer.answer === "page" || isAskedAlike(before.sighting, sighting));
    told.set(key, { sighting, answer: isAnswered ? before.answer : null });
    if (isAnswered) return;
    const running = asking.get(key);
    if (running !== undefined && before?.answer === null) return;
    const asked = askUntilSettled(key);
    asked.catch(() => undefined);
    asking.set(key, asked);
  };

  const whole = async (): Promise<DiscoveryReport> => {
    const report = await discovery.browse(request, onSighting, either);
    await Promise.all(asking.values());
    if (report.isFlooded === true) await askOnceMore();
    const left = [...(isTooMuch ? [tooMuch] : []), ...[...crowded].map(tooManyOf)];
    return left.length > 0 ? { ...report, warnings: [...report.warnings, ...left] } : report;
  };
  const looking = whole();
  looking.catch(() => undefined);
  try {
    const report = await Promise.race([looking, enough.promise]);
    return { heard: heard(), report };
  } finally {
    over.abort();
  }
}

/** Whether one more is asked: who announces many nodes leaves room for those who announce themselves. */
export function hasRoom(
  known: ReadonlyMap<string, { readonly sighting: Sighting }>,
  { sender }: Sighting,
): boolean {
  if (known.size < mostNodes) return true;
  if (known.size >= 2 * mostNodes || sender === undefined) return false;
  return [...known.values()].filter(({ sighting }) => sighting.sender === sender).length < modestNodes;
}

/**
 * Whether the machine has told of so many nodes of its own that this one is left out. Those that the user has named are
 * asked, and do not count.
 * @param key of the sighting, which replaces what is known by it
 */
export function isCrowded(
  known: ReadonlyMap<string, { readonly sighting: Sighting }>,
  key: string,
  sighting: Sighting,
): boolean {
  if (sighting.source === "user") return false;
  let others = 0;
  for (const [other, { sighting: told }] of known)
    if (other !== key && isOneMachine(told, sighting)) others += 1;
  return others >= mostOfMachine;
}

/** By what a later sighting replaces an earlier one: of one search, for several machines may claim one instance. */
export function keyOf({ instance, host, port }: Sighting): string {
  return instance === null ? `${host.toLowerCase()}:${port}` : `instance ${instance}`;
}

/** Whether asking both is the same. */
export function isAskedAlike(one: Sighting, other: Sighting): boolean {
  const at = ({ addresses, port }: Sighting) =>
    [port, ...addresses.map(({ address, zone }) => `${address}%${zone}`)].join(" ");
  return at(one) === at(other);
}
