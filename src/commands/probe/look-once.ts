import type { Discovery, DiscoveryRequest, DiscoveryWarning } from "../../probe/discovery-port.ts";
import { type Ask, look } from "../../probe/look.ts";
import { type Heard } from "../../probe/rows/group-sightings.ts";
import { hostKey } from "../../probe/rows/keys.ts";
import type { ClusterNodes } from "./cluster-nodes.ts";

export interface Found {
  readonly heard: readonly Heard[];
  readonly warnings: readonly DiscoveryWarning[];
}

/**
 * One look, while berry.toml is being read: silence ends it when all whom that names have been heard of,
 * and nobody is being asked.
 * @throws what the search throws, or what is wrong with berry.toml
 */
export async function lookOnce(
  request: DiscoveryRequest,
  ports: { readonly discovery: Discovery; readonly ask: Ask },
  nodes: Promise<ClusterNodes>,
  signal: AbortSignal,
): Promise<Found> {
  // until the file has been read, somebody may be expected
  let missing: ReadonlySet<string> | null = null;
  let underWay = 0;
  const ask: Ask = async (sighting, either) => {
    underWay += 1;
    try {
      return await ports.ask(sighting, either);
    } finally {
      underWay -= 1;
    }
  };
  const awaits: DiscoveryRequest["awaits"] = (heard) => {
    if (missing === null) return true;
    // a board whose Wi-Fi sleeps may still come while the others' pages do
    if (underWay > 0) return true;
    const hosts = new Set(heard.map(({ host }) => hostKey(host)));
    return missing.difference(hosts).size > 0;
  };
  const over = new AbortController();
  const looking = look(
    { ...request, awaits },
    { ...ports, ask },
    () => false,
    AbortSignal.any([signal, over.signal]),
  );
  looking.catch(() => undefined);
  try {
    const { expected } = await nodes;
    missing = new Set((expected ?? []).map(({ name }) => hostKey(name)));
    const { heard, report } = await looking;
    return { heard, warnings: report?.warnings ?? [] };
  } finally {
    over.abort();
  }
}
