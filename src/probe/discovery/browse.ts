import type { Sighting } from "../sighting.ts";
import { createAlarm } from "./alarm.ts";
import { createAllowance } from "./allowance.ts";
import { cacheMissing, cacheSightings, cacheUpdate, emptyCache } from "./cache.ts";
import { checkAnyWorks, type DiscoveryPorts, type LinkReport, openCounting } from "./channel.ts";
import type { Link } from "./links.ts";
import { decodeMessage } from "./message.ts";
import { encodeQueries } from "./query.ts";
import { setKey } from "./record-key.ts";
import { serviceType } from "./sightings.ts";

export interface BrowseRequest {
  readonly links: readonly Link[];
  readonly timeoutMilliseconds: number;
  /** Whether somebody is expected who is not there yet: silence does not end the look then. */
  readonly awaits: (sightings: readonly Sighting[]) => boolean;
}

export interface BrowseReport {
  readonly sightings: readonly Sighting[];
  readonly end: "quiet" | "timeout";
  readonly links: readonly LinkReport[];
  /** Names that were announced, and of which the rest was not to be found out in time. */
  readonly incomplete: readonly string[];
  /** Records that were left out: somebody said too much. */
  readonly refused: number;
  /** Packets that were not read: somebody sent too many. */
  readonly dropped: number;
}

/** When is asked, in milliseconds from the start; from then on every five seconds. */
const askedAt = [0, 20, 100, 250, 500, 1000, 2000, 4000, 7000];
const laterEveryMilliseconds = 5000;
/** The first question may get lost: before the second one, silence means nothing. */
const leastQuestions = 2;
/** The least silence that ends a look. 16 avahi daemons on one idle machine have all answered after 5 to 30. */
const quietMilliseconds = 40;
const maximumQuestions = 32;
/** Whoever announces names without end cannot make this machine ask without end. */
const maximumAsksBetween = 8;
/** To each question; a node answers with one or two. */
const packetsToQuestion = 8;
/** Whether somebody is expected may change without anything being heard: berry.toml may be read meanwhile. */
const askCallerEveryMilliseconds = 5;
/** What has come in while nobody had time to look is read before silence is believed. */
const graceMilliseconds = 2;

/**
 * One look for nodes over all links at once, by questions from ephemeral ports (RFC 6762, section 6.7). Known answers
 * have no place in them: avahi drops such a question as invalid, and whoever missed the first one would stay unheard.
 *
 * Silence ends it when it has lasted as long as the last news took to come, so that on slow networks, on which everybody
 * answers late, it waits longer; before any node is found, silence ends nothing.
 * @param onSighting called for every instance when it can be reached, and again when more is known of it
 * @throws BerryError `unavailable` where no link could be asked; the signal's reason
 */
export async function browse(
  request: BrowseRequest,
  { open, clock, monotonic, random }: DiscoveryPorts,
  onSighting: (sighting: Sighting) => void,
  signal: AbortSignal,
): Promise<BrowseReport> {
  signal.throwIfAborted();
  const startedAt = monotonic();
  const elapsed = () => monotonic() - startedAt;
  const id = 1 + Math.floor(random() * 0xffff);
  const alarm = createAlarm(clock);
  using resources = new DisposableStack();
  let cache = emptyCache;
  let newsAt = 0;
  let questionsAsked = 0;
  const allowance = createAllowance(() => packetsToQuestion * questionsAsked);

  const hear = (link: Link, packet: Uint8Array, source: string) => {
    if (!allowance.take(`${link.name} ${source}`)) return "foreign";
    const message = decodeMessage(packet);
    if (message === null) return "malformed";
    // an answer to somebody else, or by somebody who has not heard the question
    if (message.id !== id) return "foreign";
    const change = cacheUpdate(cache, { message, link: link.name, source, jitter: 0 }, monotonic());
    const isNews = change.cache.size > cache.size;
    cache = change.cache;
    for (const event of change.events) if (event.event === "seen") onSighting(event.sighting);
    if (isNews) {
      newsAt = elapsed();
      alarm.ring();
    }
    return "received";
  };
  const channels = await Promise.all(
    request.links.map(async (link) =>
      resources.use(
        await openCounting(link, "ephemeral", open, (packet, source) => hear(link, packet, source)),
      ),
    ),
  );
  const asked = new Set<string>();
  const ask = (): void => {
    const missing = cacheMissing(cache);
    for (const question of missing) asked.add(setKey(question));
    const questions = missing.slice(0, maximumQuestions);
    questionsAsked += 1;
    for (const packet of encodeQueries(id, [{ name: serviceType, type: "PTR" }, ...questions], []))
      for (const channel of channels) channel.send(packet);
  };
  const report = (end: BrowseReport["end"]): BrowseReport => {
    const links = channels.map((channel) => channel.report());
    checkAnyWorks(links);
    const missing = cacheMissing(cache).filter(({ type }) => type === "SRV" || type === "A");
    const incomplete = missing.map(({ name }) => name);
    return {
      sightings: cacheSightings(cache),
      end,
      links,
      incomplete,
      refused: cache.refused,
      dropped: allowance.dropped,
    };
  };

  let round = 0;
  let asksBetween = 0;
  let silentSince = -1;
  for (;;) {
    signal.throwIfAborted();
    const nextAt = askTime(round);
    const isDue = elapsed() >= nextAt;
    const isLacking = cacheMissing(cache).some((question) => !asked.has(setKey(question)));
    if (isDue || (isLacking && asksBetween < maximumAsksBetween)) {
      ask();
      if (isDue) round += 1;
      else asksBetween += 1;
    }
    const sightings = cacheSightings(cache);
    const isAwaiting = request.awaits(sightings);
    const canBeQuiet = round >= leastQuestions && sightings.length > 0 && !isAwaiting;
    const quietAt = canBeQuiet
      ? Math.max(newsAt + Math.max(newsAt, quietMilliseconds), askTime(1) + quietMilliseconds)
      : Infinity;
    const endAt = Math.min(quietAt, request.timeoutMilliseconds);
    if (elapsed() >= endAt && silentSince === newsAt) return report(quietAt === endAt ? "quiet" : "timeout");
    if (elapsed() >= endAt) {
      silentSince = newsAt;
      await clock.sleep(graceMilliseconds, signal);
    } else {
      const lookAt = isAwaiting ? elapsed() + askCallerEveryMilliseconds : Infinity;
      await alarm.wait(Math.max(1, Math.min(askTime(round), endAt, lookAt) - elapsed()), signal);
    }
  }
}

function askTime(round: number): number {
  const last = askedAt.length - 1;
  return askedAt[round] ?? (askedAt[last] ?? 0) + (round - last) * laterEveryMilliseconds;
}
