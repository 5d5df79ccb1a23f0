import type { Sighting, SightingEvent } from "../sighting.ts";
import { mergeViews } from "./merge-views.ts";
import { type Message, nameKey, type ResourceRecord } from "./message.ts";
import { recordKey, setKey } from "./record-key.ts";
import { type Question, readViews, serviceType, type View } from "./sightings.ts";

/** What was heard of nodes and has not run out. Times are in milliseconds, of any clock that only goes forward. */
export interface Cache {
  /** By link and address: what one host says on one link is read by itself. */
  readonly sources: ReadonlyMap<string, Source>;
  /** By the instance's name, whatever its case. */
  readonly sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** How many records are kept. */
  readonly size: number;
  /** Records that were left out, because their source or everybody together has said too much. */
  readonly refused: number;
}

export interface Source {
  readonly link: string;
  /** Address of the sender. */
  readonly address: string;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly views: readonly View[];
  readonly missing: readonly Question[];
  /** The hosts on which its services run. */
  readonly hosts: ReadonlySet<string>;
}

export interface Entry {
  readonly record: ResourceRecord;
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
/** A node has a dozen. Whoever has said so much shares half of the room with all others who have. */
const modestRecords = 32;
const secondMilliseconds = 1000;

const silent: Omit<Source, "link" | "address"> = {
  entries: new Map(),
  views: [],
  missing: [],
  hosts: new Set(),
};

export const emptyCache: Cache = { sources: new Map(), sightings: new Map(), size: 0, refused: 0 };

/** All that can be reached, each instance's name once. */
export function cacheSightings(cache: Cache): Sighting[] {
  return [...cache.sightings.values()].flat();
}

/** What to ask for nodes that were announced, but cannot be reached or told yet. */
export function cacheMissing(cache: Cache): Question[] {
  const missing = [...cache.sources.values()].flatMap((source) => source.missing);
  return [...new Map(missing.map((question) => [setKey(question), question])).values()];
}

/**
 * Takes in what a response says of nodes (RFC 6762, sections 10 to 10.2): a record replaces what it repeats, a TTL of 0
 * is a goodbye and takes effect a second later, and the cache-flush bit ends in a second what the sender has said before.
 */
export function cacheUpdate(cache: Cache, arrival: Arrival, now: number): CacheChange {
  const { link, jitter } = arrival;
  const key = `${link} ${arrival.source}`;
  const source = cache.sources.get(key) ?? { ...silent, link, address: arrival.source };
  const said = ofNodes(arrival.message.records, source);
  if (said.length === 0) return { cache, events: [] };
  const room = roomOf(source, cache);
  const heard = new Map<string, Entry>();
  let added = 0;
  let refused = 0;
  for (const record of said) {
    if (record.ttlSeconds === 0) continue;
    const content = recordKey(record);
    const isNew = !source.entries.has(content) && !heard.has(content);
    if (isNew && added >= room) {
      refused += 1;
      continue;
    }
    if (isNew) added += 1;
    const expiresAt = now + record.ttlSeconds * secondMilliseconds;
    heard.set(content, { record, receivedAt: now, expiresAt, refreshes: 0, jitter });
  }
  const sources = new Map(cache.sources);
  if (heard.size > 0) sources.set(key, { ...source, entries: new Map([...source.entries, ...heard]) });
  endSoon(sources, key, said, now);
  const counted = { ...cache, sources, refused: cache.refused + refused };
  return added === 0 ? { cache: counted, events: [] } : settle(counted, [key], cache.sources);
}

/** How many records more are kept of a source. */
function roomOf({ entries }: Source, cache: Cache): number {
  const modest = Math.min(modestRecords - entries.size, maximumRecords - cache.size);
  const shared = Math.min(maximumRecordsOfSource - entries.size, maximumRecords / 2 - cache.size);
  return Math.max(0, modest, shared);
}

/** Ends what has run out. */
export function cacheExpire(cache: Cache, now: number): CacheChange {
  return keepEntries(cache, ({ expiresAt }) => expiresAt > now);
}

/** Forgets what was heard on an interface that is no more. */
export function cacheForget(cache: Cache, link: string): CacheChange {
  return keepEntries(cache, (_, source) => source.link !== link);
}

/** Addresses are those of hosts that run a node's service; others are nobody's business. */
function ofNodes(records: readonly ResourceRecord[], { hosts }: Source): ResourceRecord[] {
  const services = records.filter(({ type, name }) => {
    const key = nameKey(name);
    return (
      (type === "PTR" && key === serviceType) ||
      ((type === "SRV" || type === "TXT") && key.endsWith(`.${serviceType}`))
    );
  });
  const added = hostsOf(services);
  const addresses = records.filter(
    ({ type, name }) =>
      (type === "A" || type === "AAAA") && (hosts.has(nameKey(name)) || added.has(nameKey(name))),
  );
  return [...services, ...addresses];
}

function hostsOf(records: readonly ResourceRecord[]): Set<string> {
  return new Set(records.flatMap((record) => (record.type === "SRV" ? [nameKey(record.target)] : [])));
}

/**
 * Lets end in a second what the source has taken back, and what it said more than a second ago and other than it now
 * says. What others have said stands until it runs out: anybody could take it back.
 */
function endSoon(
  sources: Map<string, Source>,
  key: string,
  said: readonly ResourceRecord[],
  now: number,
): void {
  const takenBack = new Set(said.filter(({ ttlSeconds }) => ttlSeconds === 0).map(recordKey));
  const replaced = new Set(said.filter(({ flush }) => flush).map(setKey));
  const source = sources.get(key);
  if (source === undefined || (takenBack.size === 0 && replaced.size === 0)) return;
  const repeated = new Set(said.map(recordKey));
  const ending = [...source.entries].filter(
    ([content, { record, receivedAt }]) =>
      takenBack.has(content) ||
      (receivedAt < now - secondMilliseconds && replaced.has(setKey(record)) && !repeated.has(content)),
  );
  if (ending.length === 0) return;
  const entries = new Map(source.entries);
  for (const [content, entry] of ending)
    entries.set(content, {
      ...entry,
      expiresAt: Math.min(entry.expiresAt, now + secondMilliseconds),
      refreshes: Infinity,
    });
  sources.set(key, { ...source, entries });
}

function keepEntries(cache: Cache, isKept: (entry: Entry, source: Source) => boolean): CacheChange {
  const sources = new Map(cache.sources);
  const changed: string[] = [];
  for (const [key, source] of cache.sources) {
    const entries = new Map([...source.entries].filter(([, entry]) => isKept(entry, source)));
    if (entries.size === source.entries.size) continue;
    changed.push(key);
    sources.set(key, { ...source, entries });
  }
  return changed.length === 0 ? { cache, events: [] } : settle({ ...cache, sources }, changed, cache.sources);
}

/** Reads anew what has changed, and tells how what can be reached differs from before. */
function settle(
  cache: Cache,
  changed: readonly string[],
  earlierSources: ReadonlyMap<string, Source>,
): CacheChange {
  const sources = new Map(cache.sources);
  const instances = new Set<string>();
  let size = cache.size;
  for (const key of changed) {
    const source = sources.get(key);
    const earlier = earlierSources.get(key);
    if (source === undefined) continue;
    const records = [...source.entries.values()].map(({ record }) => record);
    const read = readViews(records, source.link, source.address);
    for (const { instance } of [...(earlier?.views ?? []), ...read.views]) instances.add(nameKey(instance));
    size += records.length - (earlier?.entries.size ?? 0);
    if (records.length === 0) sources.delete(key);
    else sources.set(key, { ...source, ...read, hosts: hostsOf(records) });
  }
  const views = [...sources.values()].flatMap((source) => source.views);
  const sightings = new Map(cache.sightings);
  const events: SightingEvent[] = [];
  for (const instance of instances) {
    const before = cache.sightings.get(instance) ?? [];
    const merged = mergeViews(
      views.filter((view) => nameKey(view.instance) === instance),
      before,
    );
    events.push(...differences(before, merged));
    if (merged.length === 0) sightings.delete(instance);
    else sightings.set(instance, merged);
  }
  return { cache: { ...cache, sources, sightings, size }, events };
}

function differences(before: readonly Sighting[], after: readonly Sighting[]): SightingEvent[] {
  const earlier = new Map(before.map((sighting) => [sighting.instance, JSON.stringify(sighting)]));
  const events: SightingEvent[] = [];
  for (const instance of earlier.keys())
    if (instance !== null && !after.some((sighting) => sighting.instance === instance))
      events.push({ event: "gone", instance });
  for (const sighting of after)
    if (earlier.get(sighting.instance) !== JSON.stringify(sighting)) events.push({ event: "seen", sighting });
  return events;
}
