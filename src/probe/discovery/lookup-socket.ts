import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAddress } from "../../config/addresses.ts";
import { BerryError } from "../../core/errors.ts";
import type { Address } from "../sighting.ts";
import type { NamedHost } from "./named-host.ts";

/**
 * The addresses of a host that the user names, as the system's resolver knows them (hosts, DNS, nss-mdns).
 * @param getent the program that asks the resolver; null: there is none
 * @throws BerryError `unavailable`: nobody knows the name, or nobody has said so within the time
 */
export async function lookUp(
  { host, zone }: NamedHost,
  timeoutMilliseconds: number,
  signal: AbortSignal,
  getent: string | null = Bun.which("getent"),
): Promise<Address[]> {
  signal.throwIfAborted();
  const literal = parseAddress(host);
  if (literal !== null) return [{ address: host, family: literal.version, zone }];
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const found = resolve(host, getent, either).catch((cause: unknown) => {
    throw new BerryError("unavailable", `host ${host} is not known to this machine's resolver`, {
      hint: `getent hosts ${host}, or give its address`,
      cause,
    });
  });
  // what is said later is of no interest
  found.catch(() => undefined);
  const late = sleep(timeoutMilliseconds, undefined, { signal: either }).then(() => {
    throw new BerryError("unavailable", `host ${host} was not resolved within ${timeoutMilliseconds} ms`, {
      hint: `getent hosts ${host}, or give its address`,
    });
  });
  late.catch(() => undefined);
  try {
    return (await Promise.race([found, late])).map(toAddress);
  } finally {
    over.abort();
  }
}

/**
 * The resolver of a process cannot be stopped: each name that nobody answers for holds one of its few threads, for
 * everything else that it reads and writes, and its end. A program can be killed.
 */
async function resolve(host: string, getent: string | null, signal: AbortSignal): Promise<readonly string[]> {
  if (getent === null) return (await lookup(host, { all: true })).map(({ address }) => address);
  await using child = Bun.spawn([getent, "ahosts", host], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    killSignal: "SIGKILL",
    signal,
  });
  const addresses = (await child.stdout.text()).split("\n").flatMap((line) => line.split(/\s/, 1));
  if ((await child.exited) !== 0) throw new Error("getent does not know it");
  return [...new Set(addresses.filter((address) => address !== ""))];
}

function toAddress(text: string): Address {
  const [address = text, zone = null] = text.split("%");
  return { address, family: address.includes(":") ? 6 : 4, zone };
}
