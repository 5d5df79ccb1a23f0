import type { Discovery, DiscoveryRequest } from "./discovery-port.ts";
import { namedSighting, parseNamedHost } from "./discovery/named-host.ts";
import type { Sighting } from "./sighting.ts";

/**
 * The same search, which tells of the user's hosts before their addresses are known: one that has none is dead, and
 * not forgotten.
 */
export function nameHostsFirst({ browse, watch }: Discovery): Discovery {
  return {
    async browse(request, onSighting, signal) {
      for (const sighting of namedIn(request)) onSighting(sighting);
      return await browse(request, onSighting, signal);
    },
    async watch(request, onEvent, signal) {
      for (const sighting of namedIn(request)) onEvent({ event: "seen", sighting });
      return await watch(request, onEvent, signal);
    },
  };
}

/** @throws BerryError `usage` for what is no host */
function namedIn({ hosts }: DiscoveryRequest): readonly Sighting[] {
  const somewhere = { address: "0.0.0.0", family: 4, zone: null } as const;
  return hosts.flatMap((host) => {
    const sighting = namedSighting(parseNamedHost(host), [somewhere]);
    return sighting === null ? [] : [{ ...sighting, addresses: [] }];
  });
}
