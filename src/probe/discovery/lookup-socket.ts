import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAddress } from "../../config/addresses.ts";
import { BerryError } from "../../core/errors.ts";
import type { Address } from "../sighting.ts";
import type { NamedHost } from "./named-host.ts";

/**
 * The addresses of a host that the user names, as the system's resolver knows them (hosts, DNS, nss-mdns).
 * @throws BerryError `unavailable`: nobody knows the name, or nobody has said so within the time
 */
export async function lookUp(
  { host, zone }: NamedHost,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<Address[]> {
  signal.throwIfAborted();
  const literal = parseAddress(host);
  if (literal !== null) return [{ address: host, family: literal.version, zone }];
  const over = new AbortController();
  const found = lookup(host, { all: true }).catch((cause: unknown) => {
    throw new BerryError("unavailable", `host ${host} is not known to this machine's resolver`, {
      hint: `getent hosts ${host}, or give its address`,
      cause,
    });
  });
  // the resolver cannot be stopped: what it says later is of no interest
  found.catch(() => undefined);
  const late = sleep(timeoutMilliseconds, undefined, {
    signal: AbortSignal.any([signal, over.signal]),
  }).then(() => {
    throw new BerryError("unavailable", `host ${host} was not resolved within ${timeoutMilliseconds} ms`, {
      hint: `getent hosts ${host}, or give its address`,
    });
  });
  late.catch(() => undefined);
  try {
    const addresses = await Promise.race([found, late]);
    return addresses.map(({ address, family }) => {
      const [bare = address, zone = null] = address.split("%");
      return { address: bare, family: family === 6 ? 6 : 4, zone };
    });
  } finally {
    over.abort();
  }
}
