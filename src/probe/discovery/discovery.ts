import { BerryError, messageOf } from "../../core/errors.ts";
import type { Discovery, DiscoveryReport, DiscoveryRequest, DiscoveryWarning } from "../discovery-port.ts";
import type { Address, Sighting } from "../sighting.ts";
import { type Avahi, browseAvahi, watchAvahi } from "./avahi.ts";
import { browse, type BrowseReport } from "./browse.ts";
import type { DiscoveryPorts, LinkReport } from "./channel.ts";
import { chooseLinks, type InterfaceFacts, type Link } from "./links.ts";
import { type NamedHost, namedSighting, parseNamedHost } from "./named-host.ts";
import { watch } from "./watch.ts";

export interface FinderPorts extends DiscoveryPorts {
  readonly interfaces: () => readonly InterfaceFacts[];
  readonly openAvahi: () => Promise<Avahi>;
  readonly lookUp: (host: NamedHost, timeoutMilliseconds: number, signal: AbortSignal) => Promise<Address[]>;
}

const lookUpMilliseconds = 2000;
const firewallHint = "let UDP to port 5353 out and its answers in, or name the nodes with --host";

/**
 * Finds nodes by multicast DNS, by the machine's avahi, and by the names that the user gives. Where hosts are named, a
 * search of the network that cannot be made is a warning.
 */
export function createDiscovery(ports: FinderPorts): Discovery {
  return {
    async browse(request, onSighting, signal) {
      const hosts = request.hosts.map(parseNamedHost);
      const heard = new Map<string, Sighting>();
      const hear = (sighting: Sighting): void => {
        heard.set(sighting.instance ?? `${sighting.host}:${sighting.port}`, sighting);
        onSighting(sighting);
      };
      let isFlooded = false;
      const onFlood = (is: boolean): void => {
        isFlooded = is;
      };
      const { warnings } = await both(
        hosts,
        async () => await browseNetwork(request, ports, () => [...heard.values()], hear, onFlood, signal),
        async (host) => await findNamed(host, request.timeoutMilliseconds, ports, hear, signal),
      );
      return isFlooded ? { warnings, isFlooded } : { warnings };
    },
    async watch(request, onEvent, signal) {
      const hosts = request.hosts.map(parseNamedHost);
      return await both(
        hosts,
        async () => {
          try {
            return await watchNetwork(request, ports, onEvent, signal);
          } catch (thrown) {
            if (hosts.length === 0 || isUsage(thrown)) throw thrown;
            await untilAborted(signal);
            return [warningOf(thrown)];
          }
        },
        async (host) => await keepLookingUp(host, ports, onEvent, signal),
      );
    },
  };
}

async function both(
  hosts: readonly NamedHost[],
  searchNetwork: () => Promise<readonly DiscoveryWarning[]>,
  find: (host: NamedHost) => Promise<readonly DiscoveryWarning[]>,
): Promise<DiscoveryReport> {
  const network = searchNetwork().catch((thrown: unknown) => {
    if (hosts.length === 0 || !(thrown instanceof BerryError) || isUsage(thrown)) throw thrown;
    return [warningOf(thrown)];
  });
  const warnings = await Promise.all([network, ...hosts.map(find)]);
  return { warnings: warnings.flat() };
}

async function browseNetwork(
  { via, interfaces, timeoutMilliseconds, awaits }: DiscoveryRequest,
  ports: FinderPorts,
  heard: () => readonly Sighting[],
  onSighting: (sighting: Sighting) => void,
  onFlood: (isFlooded: boolean) => void,
  signal: AbortSignal,
): Promise<readonly DiscoveryWarning[]> {
  switch (via) {
    case "avahi": {
      const avahi = await ports.openAvahi();
      const request = { interfaces, timeoutMilliseconds };
      const unanswered = await browseAvahi(request, { avahi, clock: ports.clock }, onSighting, signal);
      return unanswered.map((name) => ({ message: `avahi knows ${name}, and nobody answers for it` }));
    }
    case "mdns": {
      const links = chooseLinks(ports.interfaces(), interfaces);
      const request = { links, timeoutMilliseconds, awaits: () => awaits?.(heard()) ?? false };
      const report = await browse(request, ports, onSighting, signal);
      onFlood(report.dropped > 0);
      return warningsOf(report);
    }
  }
}

async function watchNetwork(
  { via, interfaces, onNoNetwork }: DiscoveryRequest,
  ports: FinderPorts,
  onEvent: Parameters<Discovery["watch"]>[1],
  signal: AbortSignal,
): Promise<readonly DiscoveryWarning[]> {
  switch (via) {
    case "avahi":
      await watchAvahi({ interfaces }, await ports.openAvahi(), onEvent, () => undefined, signal);
      return [];
    case "mdns": {
      // a name that there is not is told at once; one that goes later may come back
      try {
        chooseLinks(ports.interfaces(), interfaces);
      } catch (thrown) {
        if (onNoNetwork === undefined || isUsage(thrown)) throw thrown;
        onNoNetwork(warningOf(thrown));
      }
      const links = (): Link[] => {
        const there = ports
          .interfaces()
          .filter(({ name }) => interfaces.length === 0 || interfaces.includes(name));
        return chooseLinks(
          there,
          there.filter(({ name }) => interfaces.includes(name)).map(({ name }) => name),
        );
      };
      return linkWarnings(await watch({ links }, ports, onEvent, signal));
    }
  }
}

async function findNamed(
  host: NamedHost,
  timeoutMilliseconds: number,
  { lookUp }: FinderPorts,
  onSighting: (sighting: Sighting) => void,
  signal: AbortSignal,
): Promise<readonly DiscoveryWarning[]> {
  try {
    const sighting = namedSighting(host, await lookUp(host, timeoutMilliseconds, signal));
    if (sighting !== null) onSighting(sighting);
    return [];
  } catch (thrown) {
    signal.throwIfAborted();
    return [warningOf(thrown)];
  }
}

const lookUpAgainMilliseconds = 60_000;

/** Names may get other addresses, and a name that is not known yet may be later. */
async function keepLookingUp(
  host: NamedHost,
  ports: FinderPorts,
  onEvent: Parameters<Discovery["watch"]>[1],
  signal: AbortSignal,
): Promise<readonly DiscoveryWarning[]> {
  let told = "";
  let warnings: readonly DiscoveryWarning[] = [];
  while (!signal.aborted) {
    const onSighting = (sighting: Sighting): void => {
      if (JSON.stringify(sighting) !== told) onEvent({ event: "seen", sighting });
      told = JSON.stringify(sighting);
    };
    try {
      warnings = await findNamed(host, lookUpMilliseconds, ports, onSighting, signal);
      await ports.clock.sleep(lookUpAgainMilliseconds, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
  return warnings;
}

function warningsOf({ links, incomplete, refused, dropped }: BrowseReport): DiscoveryWarning[] {
  const warnings = linkWarnings(links);
  if (incomplete.length > 0)
    warnings.push({
      message: `announced, but nobody says where it is: ${incomplete.slice(0, 5).join(", ")}`,
    });
  if (refused > 0)
    warnings.push({
      message: `somebody on the network announces too much: ${refused} records were left out`,
    });
  if (dropped > 0)
    warnings.push({
      message: `somebody floods the network with answers: ${dropped} packets were not read`,
      hint: "nodes may be told to be missing that are not; --host NAME asks them by name",
    });
  return warnings;
}

function linkWarnings(links: readonly LinkReport[]): DiscoveryWarning[] {
  return links
    .filter(({ error, received }) => error !== null && received === 0)
    .map(({ name, family, error }) => ({
      message: `nobody could be asked through ${name} over IPv${family}: ${error}`,
      hint: firewallHint,
    }));
}

function warningOf(thrown: unknown): DiscoveryWarning {
  const hint = thrown instanceof BerryError ? thrown.hint : undefined;
  return { message: messageOf(thrown), ...(hint === undefined ? {} : { hint }) };
}

function isUsage(thrown: unknown): boolean {
  return thrown instanceof BerryError && thrown.kind === "usage";
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => aborted.resolve(), { once: true });
  await aborted.promise;
}
