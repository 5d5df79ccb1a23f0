import type { Clock } from "../../core/ports.ts";
import type { Sighting, SightingEvent } from "../sighting.ts";
import { hostAddress } from "./address.ts";
import { nameKey } from "./message.ts";
import { mergeViews } from "./merge-views.ts";
import { readTexts, type View } from "./sightings.ts";

/** A service that avahi knows of, on one interface and in one family. */
export interface AvahiService {
  /** Its number. */
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  /** As avahi counts: 0 is IPv4, 1 is IPv6. */
  readonly protocol: number;
  readonly name: string;
}

export interface AvahiAnswer {
  /** With its domain: `pi1.local`. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly txt: readonly string[];
}

/** What avahi says without being asked. */
export interface AvahiEvents {
  readonly onFound: (service: AvahiService) => void;
  readonly onGone: (service: AvahiService) => void;
  /** All that is known for now has been told. */
  readonly onAllForNow: () => void;
  readonly onFailure: (failure: Error) => void;
}

/** The avahi of this machine. */
export interface Avahi {
  /** @throws BerryError `unavailable`: no bus, or no avahi on it */
  browse(type: string, events: AvahiEvents, signal: AbortSignal): Promise<Disposable>;
  /** Where it is; takes seconds where nobody answers. @throws Error with what avahi says */
  resolve(service: AvahiService): Promise<AvahiAnswer>;
}

export interface AvahiRequest {
  /** Names of interfaces; empty: all that avahi uses. */
  readonly interfaces: readonly string[];
}

/** Somebody who announces names without end is not listened to for ever. */
const maximumServices = 1024;

/**
 * Follows what the avahi of this machine knows until the signal is aborted.
 * @param onSettled called whenever all that avahi knew has been asked for; with the names of those that did not answer
 * @throws BerryError `unavailable` where there is no avahi, or where it ends
 */
export async function watchAvahi(
  { interfaces }: AvahiRequest,
  avahi: Avahi,
  onEvent: (event: SightingEvent) => void,
  onSettled: (unanswered: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, { readonly service: AvahiService; view: View | null }>();
  const told = new Map<string, readonly Sighting[]>();
  const unanswered = new Set<string>();
  const failed = Promise.withResolvers<never>();
  let isAllTold = false;
  let asking = 0;

  const tell = (name: string): void => {
    const key = nameKey(name);
    const views = [...known.values()].flatMap(({ service, view }) =>
      view !== null && nameKey(service.name) === key ? [view] : [],
    );
    const before = told.get(key) ?? [];
    const after = mergeViews(views, before).map((sighting): Sighting => ({ ...sighting, source: "avahi" }));
    told.set(key, after);
    for (const { instance } of before)
      if (instance !== null && !after.some((sighting) => sighting.instance === instance))
        onEvent({ event: "gone", instance });
    for (const sighting of after)
      if (!before.some((earlier) => JSON.stringify(earlier) === JSON.stringify(sighting)))
        onEvent({ event: "seen", sighting });
  };
  const settle = (): void => {
    if (isAllTold && asking === 0) onSettled([...unanswered]);
  };
  const ask = async (service: AvahiService): Promise<void> => {
    const key = keyOf(service);
    asking += 1;
    try {
      const view = viewOf(service, await avahi.resolve(service));
      const entry = known.get(key);
      if (entry !== undefined && view !== null) {
        entry.view = view;
        unanswered.delete(service.name);
        tell(service.name);
      }
    } catch {
      // avahi still remembers it, and nobody answers for it any more
      if (![...known.values()].some((other) => other.service.name === service.name && other.view !== null))
        unanswered.add(service.name);
    } finally {
      asking -= 1;
      settle();
    }
  };

  using _browser = await avahi.browse(
    "_berry._tcp",
    {
      onFound(service) {
        if (interfaces.length > 0 && !interfaces.includes(service.interfaceName)) return;
        if (known.has(keyOf(service)) || known.size >= maximumServices) return;
        known.set(keyOf(service), { service, view: null });
        void ask(service);
      },
      onGone(service) {
        unanswered.delete(service.name);
        if (known.delete(keyOf(service))) tell(service.name);
      },
      onAllForNow() {
        isAllTold = true;
        settle();
      },
      onFailure: failed.reject,
    },
    signal,
  );
  const ended = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  if (signal.aborted) return;
  await Promise.race([ended.promise, failed.promise]);
}

/**
 * One look at what the avahi of this machine knows: ends when all of it has been asked for, or after the time.
 * @returns names that avahi knows, and for which nobody answered in time
 * @throws BerryError `unavailable` where there is no avahi; the signal's reason
 */
export async function browseAvahi(
  request: AvahiRequest & { readonly timeoutMilliseconds: number },
  { avahi, clock }: { readonly avahi: Avahi; readonly clock: Clock },
  onSighting: (sighting: Sighting) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let unanswered: readonly string[] = [];
  const time = clock.sleep(request.timeoutMilliseconds, either).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    await watchAvahi(
      request,
      avahi,
      (event) => {
        if (event.event === "seen") onSighting(event.sighting);
      },
      (names) => {
        unanswered = names;
        over.abort();
      },
      either,
    );
  } finally {
    over.abort();
    await time;
  }
  signal.throwIfAborted();
  return unanswered;
}

function viewOf({ name, interfaceName }: AvahiService, answer: AvahiAnswer): View | null {
  const address = hostAddress(answer.address, interfaceName);
  if (address === null || answer.port === 0 || !/.\.local$/i.test(answer.host)) return null;
  const host = answer.host.slice(0, -".local".length);
  return {
    instance: name,
    host,
    port: answer.port,
    addresses: [address],
    txt: readTexts(answer.txt),
    sender: null,
  };
}

function keyOf({ interfaceIndex, protocol, name }: AvahiService): string {
  return `${interfaceIndex} ${protocol} ${nameKey(name)}`;
}
