import type { SightingEvent } from "../sighting.ts";
import { isOnLink } from "./address.ts";
import { createAlarm } from "./alarm.ts";
import { createAllowance } from "./allowance.ts";
import {
  cacheExpire,
  cacheForget,
  cacheMissing,
  cacheUpdate,
  type CacheChange,
  emptyCache,
} from "./cache.ts";
import {
  checkAnyWorks,
  type CountingChannel,
  type DiscoveryPorts,
  type LinkReport,
  openCounting,
} from "./channel.ts";
import type { Link } from "./links.ts";
import { decodeMessage, isResponse } from "./message.ts";
import { encodeQueries } from "./query.ts";
import { setKey } from "./record-key.ts";
import { cacheDueAt, cacheRefresh, knownAnswers } from "./refresh.ts";
import { type Question, serviceType } from "./sightings.ts";

export interface WatchRequest {
  /** The links there are now; asked again every few seconds, for interfaces come and go. */
  readonly links: () => readonly Link[];
}

const mdnsPort = 5353;
const scanEveryMilliseconds = 5000;
/** RFC 6762, section 5.2: the first pause is a second, each is twice the one before, none is longer than an hour. */
const firstPauseMilliseconds = 1000;
const longestPauseMilliseconds = 60 * 60 * 1000;
/** The wall clock was ahead by so much: the machine has slept, and nothing of what was said meanwhile was heard. */
const sleptMilliseconds = 10_000;
const maximumQuestions = 64;
/** Of one sender, between two scans. */
const maximumPacketsOfSender = 64;

/** When something is asked next, and how long the pause after that is. */
interface Schedule {
  readonly at: number;
  readonly pause: number;
}

interface Watched {
  readonly channel: CountingChannel;
  schedule: Schedule;
}

/**
 * Looks for nodes until the signal is aborted, by continuous querying beside the machine's own responder (RFC 6762,
 * section 5.2): pauses that grow, known answers, records asked again before they run out, goodbyes.
 * @returns how it went on the links that there were in the end
 * @throws BerryError `unavailable` where none of the links of the start can be listened on; where there are none, it waits
 */
export async function watch(
  { links }: WatchRequest,
  { open, clock, monotonic, random }: DiscoveryPorts,
  onEvent: (event: SightingEvent) => void,
  signal: AbortSignal,
): Promise<readonly LinkReport[]> {
  const alarm = createAlarm(clock);
  const watched = new Map<string, Watched>();
  using resources = new DisposableStack();
  resources.defer(() => {
    for (const { channel } of watched.values()) channel[Symbol.dispose]();
  });
  const missing = new Map<string, Schedule>();
  let cache = emptyCache;
  const allowance = createAllowance(() => maximumPacketsOfSender);

  const take = ({ cache: changed, events }: CacheChange): void => {
    cache = changed;
    for (const event of events) onEvent(event);
  };
  const hear = (link: Link, packet: Uint8Array, source: string, port: number) => {
    // section 11: from elsewhere nobody answers; and what this machine itself asks comes back, too
    if (port !== mdnsPort || !isOnLink(source, link.name, link.networks) || !isResponse(packet))
      return "foreign";
    if (!allowance.take(`${link.name} ${source}`)) return "foreign";
    const message = decodeMessage(packet);
    if (message === null) return "malformed";
    const before = cache;
    take(cacheUpdate(cache, { message, link: link.name, source, jitter: random() }, monotonic()));
    if (cache !== before) alarm.ring();
    return "received";
  };
  /** Section 5.2: not everybody who comes up at once asks at once. */
  const soon = (): Schedule => ({
    at: monotonic() + 20 + 100 * random(),
    pause: firstPauseMilliseconds,
  });
  const scan = async (there: readonly Link[]): Promise<void> => {
    const wanted = new Map(there.map((link) => [JSON.stringify(link), link]));
    for (const [key, { channel }] of watched) {
      if (wanted.has(key)) continue;
      channel[Symbol.dispose]();
      watched.delete(key);
      if (!there.some(({ name }) => name === channel.link.name)) take(cacheForget(cache, channel.link.name));
    }
    for (const [key, link] of wanted) {
      if (watched.has(key)) continue;
      const channel = await openCounting(link, "mdns", open, (packet, source, port) =>
        hear(link, packet, source, port),
      );
      watched.set(key, { channel, schedule: soon() });
    }
  };
  const dueMissing = (now: number): Question[] => {
    const lacking = new Map(cacheMissing(cache).map((question) => [setKey(question), question]));
    for (const key of missing.keys()) if (!lacking.has(key)) missing.delete(key);
    const due = [...lacking].slice(0, maximumQuestions).filter(([key]) => (missing.get(key)?.at ?? 0) <= now);
    for (const [key] of due) missing.set(key, later(missing.get(key), now));
    return due.map(([, question]) => question);
  };
  const ask = (now: number): void => {
    const lacking = dueMissing(now);
    const refreshed = new Map<string, readonly Question[]>();
    for (const entry of watched.values()) {
      const { link } = entry.channel;
      let refresh = refreshed.get(link.name);
      if (refresh === undefined) {
        const due = cacheRefresh(cache, link.name, now);
        cache = due.cache;
        refresh = due.questions;
        refreshed.set(link.name, refresh);
      }
      const isDue = entry.schedule.at <= now;
      if (isDue) entry.schedule = later(entry.schedule, now);
      const questions: Question[] = isDue ? [{ name: serviceType, type: "PTR" }] : [];
      // a pointer that is about to run out is asked for without being known
      questions.push(...refresh.filter(({ type }) => !isDue || type !== "PTR"), ...lacking);
      for (const packet of encodeQueries(0, questions, knownAnswers(cache, link.name, now)))
        entry.channel.send(packet);
    }
  };

  await scan(linksOrNone(links));
  if (watched.size > 0) checkAnyWorks(reportsOf(watched));
  let scanAt = monotonic() + scanEveryMilliseconds;
  let ahead = clock.now() - monotonic();
  while (!signal.aborted) {
    const now = monotonic();
    if (now >= scanAt) {
      allowance.renew();
      await scan(linksOrNone(links));
      scanAt = monotonic() + scanEveryMilliseconds;
    }
    if (clock.now() - now - ahead > sleptMilliseconds)
      for (const entry of watched.values()) entry.schedule = soon();
    ahead = clock.now() - now;
    take(cacheExpire(cache, now));
    ask(now);
    const asks = [...watched.values()].map(({ schedule }) => schedule.at);
    const lacks = [...missing.values()].map(({ at }) => at);
    const next = Math.min(scanAt, cacheDueAt(cache), ...asks, ...lacks);
    await alarm.wait(Math.max(1, next - monotonic()), signal);
  }
  return reportsOf(watched);
}

function later(schedule: Schedule | undefined, now: number): Schedule {
  const pause = schedule?.pause ?? firstPauseMilliseconds;
  return { at: now + pause, pause: Math.min(2 * pause, longestPauseMilliseconds) };
}

/** A machine whose last interface has gone waits for it to come back. */
function linksOrNone(links: () => readonly Link[]): readonly Link[] {
  try {
    return links();
  } catch {
    return [];
  }
}

function reportsOf(watched: ReadonlyMap<string, Watched>): LinkReport[] {
  return [...watched.values()].map(({ channel }) => channel.report());
}
