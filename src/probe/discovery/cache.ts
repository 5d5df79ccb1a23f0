import type { Sighting, SightingEvent } from "../sighting.ts";
import { type Message, nameKey, type ResourceRecord } from "./message.ts";
import { type HeardRecord, type Question, readSightings, serviceType } from "./sightings.ts";

/** What was heard of nodes and has not run out. Times are in milliseconds, of any clock that only goes forward. */
export interface Cache {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly sightings: readonly Sighting[];
  /** What to ask for nodes to be reached that were announced. */
  readonly missing: readonly Question[];
  /** Records that were left out, because their source or everybody together has said too much. */
  readonly refused: number;
}

interface Entry extends HeardRecord {
  readonly receivedAt: number;
  readonly expiresAt: number;
  /** How often it was asked for since it was heard. */
  readonly refreshes: number;
  /** 0 to 1: where in the 2 % of its life it is asked for. */
  readonly jitter: number;
}

/** A message as it came. */
export interface Arrival {
  readonly message: Message;
  readonly link: string;
  /** Address of the sender. */
  readonly source: string;
  /** 0 to 1, at random. */
  readonly jitter: number;
}

export interface CacheChange {
  readonly cache: Cache;
  readonly events: readonly SightingEvent[];
}

/** One liar can neither fill the memory nor drown the others. */
export const maximumRecordsOfSource = 512;
export const maximumRecords = 8192;
const secondMilliseconds = 1000;

export const emptyCache: Cache = { entries: new Map(), sightings: [], missing: [], refused: 0 };

/**
 * Takes in what a response says of nodes (RFC 6762, sections 10 to 10.2): a record replaces what it repeats, a TTL of 0
 * is a goodbye and takes effect a second later, and the cache-flush bit ends in a second what is older than that.
 */
export function cacheUpdate(cache: Cache, arrival: Arrival, now: number): CacheChange {
  const entries = new Map(cache.entries);
  const said = ofNodes(arrival.message.records, cache);
  let ofSource = 0;
  for (const { link, source } of entries.values())
    if (link === arrival.link && source === arrival.source) ofSource += 1;
  let refused = 0;
  let isNew = false;
  for (const record of said) {
    const key = `${arrival.link} ${arrival.source} ${recordKey(record)}`;
    if (record.ttlSeconds === 0) {
      endSoon(
        entries,
        now,
        (entry) => entry.link === arrival.link && recordKey(entry.record) === recordKey(record),
      );
      continue;
    }
    const isHeard = entries.has(key);
    if (!isHeard && (ofSource >= maximumRecordsOfSource || entries.size >= maximumRecords)) {
      refused += 1;
      continue;
    }
    if (!isHeard) ofSource += 1;
    isNew ||= !isHeard;
    entries.set(key, {
      record,
      link: arrival.link,
      source: arrival.source,
      receivedAt: now,
      expiresAt: now + record.ttlSeconds * secondMilliseconds,
      refreshes: 0,
      jitter: arrival.jitter,
    });
  }
  flush(entries, said, arrival.link, now);
  const counted = { ...cache, refused: cache.refused + refused };
  return isNew ? settle(counted, entries) : { cache: { ...counted, entries }, events: [] };
}

/** Ends what has run out. */
export function cacheExpire(cache: Cache, now: number): CacheChange {
  const entries = new Map([...cache.entries].filter(([, { expiresAt }]) => expiresAt > now));
  return entries.size === cache.entries.size ? { cache, events: [] } : settle(cache, entries);
}

/** Forgets what was heard on an interface that is no more. */
export function cacheForget(cache: Cache, link: string): CacheChange {
  return settle(cache, new Map([...cache.entries].filter(([, entry]) => entry.link !== link)));
}

/** What is asked again at 80, 85, 90 and 95 % of its life, each a little later at random (section 5.2). */
export function cacheRefresh(
  cache: Cache,
  link: string,
  now: number,
): { readonly cache: Cache; readonly questions: readonly Question[] } {
  const questions = new Map<string, Question>();
  const entries = new Map(cache.entries);
  for (const [key, entry] of cache.entries) {
    if (entry.link !== link || refreshAt(entry) > now) continue;
    entries.set(key, { ...entry, refreshes: entry.refreshes + 1 });
    const { name, type } = entry.record;
    questions.set(`${type} ${nameKey(name)}`, { name, type });
  }
  return { cache: { ...cache, entries }, questions: [...questions.values()] };
}

/** When something runs out or has to be asked again; Infinity: never. */
export function cacheDueAt(cache: Cache): number {
  let due = Infinity;
  for (const entry of cache.entries.values()) due = Math.min(due, entry.expiresAt, refreshAt(entry));
  return due;
}

/** The instances that a question need not be answered with (section 7.1): more than half of their life is left. */
export function knownAnswers(
  cache: Cache,
  link: string,
  now: number,
): { readonly target: string; readonly ttlSeconds: number }[] {
  const known = new Map<string, number>();
  for (const { record, expiresAt, link: on } of cache.entries.values()) {
    if (on !== link || record.type !== "PTR") continue;
    const left = Math.floor((expiresAt - now) / secondMilliseconds);
    if (left * 2 > record.ttlSeconds) known.set(record.target, Math.max(left, known.get(record.target) ?? 0));
  }
  return [...known].map(([target, ttlSeconds]) => ({ target, ttlSeconds }));
}

function refreshAt({ receivedAt, record, refreshes, jitter }: Entry): number {
  if (refreshes > 3) return Infinity;
  const share = 0.8 + 0.05 * refreshes + 0.02 * jitter;
  return receivedAt + share * record.ttlSeconds * secondMilliseconds;
}

/** Addresses are those of hosts that run a node's service; others are nobody's business. */
function ofNodes(records: readonly ResourceRecord[], cache: Cache): ResourceRecord[] {
  const isService = (name: string) => nameKey(name).endsWith(`.${serviceType}`);
  const services = records.filter(
    ({ type, name }) =>
      (type === "PTR" && nameKey(name) === serviceType) ||
      ((type === "SRV" || type === "TXT") && isService(name)),
  );
  const hosts = new Set<string>();
  for (const record of [...services, ...[...cache.entries.values()].map((entry) => entry.record)])
    if (record.type === "SRV") hosts.add(nameKey(record.target));
  const addresses = records.filter(
    ({ type, name }) => (type === "A" || type === "AAAA") && hosts.has(nameKey(name)),
  );
  return [...services, ...addresses];
}

function recordKey(record: ResourceRecord): string {
  return `${setKey(record)} ${JSON.stringify(contentOf(record))}`;
}

function setKey({ type, name }: ResourceRecord): string {
  return `${type} ${nameKey(name)}`;
}

function contentOf(record: ResourceRecord): readonly (string | number)[] {
  switch (record.type) {
    case "PTR":
      return [nameKey(record.target)];
    case "SRV":
      return [record.port, nameKey(record.target)];
    case "TXT":
      return record.strings;
    case "A":
    case "AAAA":
      return [record.address];
  }
}

/** What another source has said in the same words is confirmed, not ended. */
function flush(
  entries: Map<string, Entry>,
  said: readonly ResourceRecord[],
  link: string,
  now: number,
): void {
  const unique = new Set(said.filter(({ flush }) => flush).map(setKey));
  if (unique.size === 0) return;
  const repeated = new Set(said.map(recordKey));
  endSoon(
    entries,
    now,
    (entry) =>
      entry.link === link &&
      entry.receivedAt < now - secondMilliseconds &&
      unique.has(setKey(entry.record)) &&
      !repeated.has(recordKey(entry.record)),
  );
}

function endSoon(entries: Map<string, Entry>, now: number, ends: (entry: Entry) => boolean): void {
  for (const [key, entry] of entries)
    if (ends(entry))
      entries.set(key, {
        ...entry,
        expiresAt: Math.min(entry.expiresAt, now + secondMilliseconds),
        refreshes: 4,
      });
}

function settle(cache: Cache, entries: ReadonlyMap<string, Entry>): CacheChange {
  const { sightings, missing } = readSightings([...entries.values()]);
  const before = new Map(cache.sightings.map((sighting) => [sighting.instance ?? "", sighting]));
  const after = new Set(sightings.map(({ instance }) => instance ?? ""));
  const events: SightingEvent[] = [...before.keys()]
    .filter((instance) => !after.has(instance))
    .map((instance) => ({ event: "gone", instance }));
  for (const sighting of sightings) {
    const earlier = before.get(sighting.instance ?? "");
    if (earlier === undefined || JSON.stringify(earlier) !== JSON.stringify(sighting))
      events.push({ event: "seen", sighting });
  }
  return { cache: { ...cache, entries, sightings, missing }, events };
}
