import type { Cache, Entry } from "./cache.ts";
import type { KnownAnswer } from "./query.ts";
import { setKey } from "./record-key.ts";
import type { Question } from "./sightings.ts";

const secondMilliseconds = 1000;

/** What is asked again at 80, 85, 90 and 95 % of its life, each a little later at random (section 5.2). */
export function cacheRefresh(
  cache: Cache,
  link: string,
  now: number,
): { readonly cache: Cache; readonly questions: readonly Question[] } {
  const questions = new Map<string, Question>();
  const sources = new Map(cache.sources);
  for (const [key, source] of cache.sources) {
    if (source.link !== link) continue;
    const entries = new Map(source.entries);
    for (const [content, entry] of source.entries) {
      if (refreshAt(entry) > now) continue;
      entries.set(content, { ...entry, refreshes: entry.refreshes + 1 });
      const { name, type } = entry.record;
      questions.set(setKey(entry.record), { name, type });
    }
    sources.set(key, { ...source, entries });
  }
  return { cache: { ...cache, sources }, questions: [...questions.values()] };
}

/** When something runs out or has to be asked again; Infinity: never. */
export function cacheDueAt(cache: Cache): number {
  let due = Infinity;
  for (const { entries } of cache.sources.values())
    for (const entry of entries.values()) due = Math.min(due, entry.expiresAt, refreshAt(entry));
  return due;
}

/** The instances that a question need not be answered with (section 7.1): more than half of their life is left. */
export function knownAnswers(cache: Cache, link: string, now: number): KnownAnswer[] {
  const known = new Map<string, number>();
  for (const source of cache.sources.values()) {
    if (source.link !== link) continue;
    for (const { record, expiresAt } of source.entries.values()) {
      if (record.type !== "PTR") continue;
      const left = Math.floor((expiresAt - now) / secondMilliseconds);
      if (left * 2 > record.ttlSeconds)
        known.set(record.target, Math.max(left, known.get(record.target) ?? 0));
    }
  }
  return [...known].map(([target, ttlSeconds]) => ({ target, ttlSeconds }));
}

function refreshAt({ receivedAt, record, refreshes, jitter }: Entry): number {
  if (refreshes > 3) return Infinity;
  const percent = 80 + 5 * refreshes + 2 * jitter;
  return receivedAt + (percent * record.ttlSeconds * secondMilliseconds) / 100;
}
