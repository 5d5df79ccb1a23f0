import { BerryError, messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Sighting } from "../sighting.ts";
import { cacheUpdate, emptyCache, knownAnswers } from "./cache.ts";
import type { Channel, OpenChannel } from "./channel.ts";
import type { Link } from "./links.ts";
import { decodeMessage } from "./message.ts";
import { encodeQueries } from "./query.ts";
import { serviceType } from "./sightings.ts";

export interface BrowseRequest {
  readonly links: readonly Link[];
  readonly timeoutMilliseconds: number;
  /**
   * How long nobody may say anything new, after the last question that everybody has heard, for the look to end.
   * null: it ends when it is complete or out of time.
   */
  readonly quietMilliseconds: number | null;
  /** Whether all are there that were looked for; the look ends at once then. */
  readonly isComplete: (sightings: readonly Sighting[]) => boolean;
}

export interface BrowsePorts {
  readonly open: OpenChannel;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface BrowseReport {
  readonly sightings: readonly Sighting[];
  readonly end: "complete" | "quiet" | "timeout";
  readonly links: readonly LinkReport[];
  /** Names that were announced and could not be found out about within the time. */
  readonly incomplete: readonly string[];
  /** Records that were left out: somebody said too much. */
  readonly refused: number;
}

export interface LinkReport {
  readonly name: string;
  readonly family: 4 | 6;
  readonly sent: number;
  readonly received: number;
  readonly malformed: number;
  /** null: all went well. */
  readonly error: string | null;
}

/** When questions are asked, in milliseconds from the start; then every five seconds. */
const askedAt = [0, 30, 100, 250, 500, 1000, 2000, 4000, 7000];
const laterEveryMilliseconds = 5000;
/** So many questions have to be asked before silence means anything: the first one may get lost. */
const leastQuestions = 2;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * One look for nodes over all links at once, by questions from ephemeral ports (RFC 6762, section 6.7).
 * @param onSighting called for every instance when it can be reached, and again when more is known of it
 * @throws BerryError `unavailable` where no link could be asked; the signal's reason
 */
export async function browse(
  request: BrowseRequest,
  { open, clock, random }: BrowsePorts,
  onSighting: (sighting: Sighting) => void,
  signal: AbortSignal,
): Promise<BrowseReport> {
  signal.throwIfAborted();
  const startedAt = clock.now();
  const elapsed = () => clock.now() - startedAt;
  const id = Math.floor(random() * 0xffff) + 1;
  const reports: Mutable<LinkReport>[] = [];
  const channels: { link: Link; channel: Channel; report: Mutable<LinkReport> }[] = [];
  using resources = new DisposableStack();
  let cache = emptyCache;
  let newsAt = 0;
  let wake = Promise.withResolvers<void>();
  const asked = new Set<string>();

  const hear = (link: Link, report: Mutable<LinkReport>, packet: Uint8Array, source: string): void => {
    const message = decodeMessage(packet);
    if (message === null) report.malformed += 1;
    // somebody else's answer, or one that was sent without having heard the question
    if (message === null || message.id !== id) return;
    report.received += 1;
    const change = cacheUpdate(cache, { message, link: link.name, source, jitter: 0 }, clock.now());
    const isNews = change.cache.entries.size > cache.entries.size;
    cache = change.cache;
    for (const event of change.events) if (event.event === "seen") onSighting(event.sighting);
    if (!isNews) return;
    newsAt = elapsed();
    wake.resolve();
  };

  await Promise.all(
    request.links.map(async (link) => {
      const report = {
        name: link.name,
        family: link.family,
        sent: 0,
        received: 0,
        malformed: 0,
        error: null,
      };
      const told: Mutable<LinkReport> = report;
      reports.push(told);
      const fail = (problem: string) => (told.error ??= problem);
      try {
        const channel = await open(link, "ephemeral", {
          onPacket: (packet, source) => hear(link, told, packet, source),
          onError: fail,
        });
        resources.defer(() => channel.close());
        channels.push({ link, channel, report: told });
      } catch (thrown) {
        fail(messageOf(thrown));
      }
    }),
  );
  signal.throwIfAborted();

  const ask = (): void => {
    const questions = [{ name: serviceType, type: "PTR" } as const, ...cache.missing.slice(0, 20)];
    for (const question of cache.missing) asked.add(`${question.type} ${question.name}`);
    for (const { link, channel, report } of channels) {
      for (const packet of encodeQueries(id, questions, knownAnswers(cache, link.name, clock.now()))) {
        report.sent += 1;
        channel.send(packet);
      }
    }
  };
  const report = (end: BrowseReport["end"]): BrowseReport => {
    if (reports.every(({ sent, received, error }) => error !== null && (sent === 0 || received === 0)))
      throw nothingAsked(reports);
    const incomplete = cache.missing.filter(({ type }) => type === "SRV" || type === "A");
    return {
      sightings: cache.sightings,
      end,
      links: reports,
      incomplete: incomplete.map(({ name }) => name),
      refused: cache.refused,
    };
  };

  let round = 0;
  let lastAskedAt = 0;
  let hasNewQuestions = false;
  for (;;) {
    const nextAt =
      askedAt[round] ?? (askedAt.at(-1) ?? 0) + (round - askedAt.length + 1) * laterEveryMilliseconds;
    if (elapsed() >= nextAt || hasNewQuestions) {
      ask();
      lastAskedAt = elapsed();
      if (!hasNewQuestions) round += 1;
      hasNewQuestions = false;
      continue;
    }
    if (request.isComplete(cache.sightings)) return report("complete");
    const quietAt =
      request.quietMilliseconds === null || round < leastQuestions
        ? Infinity
        : Math.max(newsAt, round === leastQuestions ? lastAskedAt : 0) + request.quietMilliseconds;
    if (elapsed() >= quietAt) return report("quiet");
    if (elapsed() >= request.timeoutMilliseconds || channels.length === 0) return report("timeout");
    wake = Promise.withResolvers<void>();
    using alarm = alarmAt(Math.min(nextAt, quietAt, request.timeoutMilliseconds) - elapsed(), clock, signal);
    await Promise.race([wake.promise, alarm.rings]);
    signal.throwIfAborted();
    hasNewQuestions = cache.missing.some(({ type, name }) => !asked.has(`${type} ${name}`));
  }
}

interface Alarm extends Disposable {
  readonly rings: Promise<void>;
}

/** Rings after so long, or when the signal is aborted; not at all when it is disposed of before. */
function alarmAt(milliseconds: number, clock: Clock, signal: AbortSignal): Alarm {
  const ended = new AbortController();
  const rings = clock.sleep(Math.max(1, milliseconds), AbortSignal.any([signal, ended.signal]));
  return { rings: rings.catch(() => undefined), [Symbol.dispose]: () => ended.abort() };
}

function nothingAsked(reports: readonly LinkReport[]): BerryError {
  const told = reports.map(({ name, family, error }) => `${name} over IPv${family}: ${error}`);
  return new BerryError("unavailable", `no interface could be asked for nodes: ${told.join("; ")}`, {
    hint: "let UDP to port 5353 out and its answers in, or name the nodes with --host",
  });
}
