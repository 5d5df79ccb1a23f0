import { parseAddress } from "../../config/addresses.ts";
import { BerryError } from "../../core/errors.ts";
import type { Address, Sighting } from "../sighting.ts";
import { compareAddresses } from "./address.ts";

/** A host that the user names, where multicast does not reach it. */
export interface NamedHost {
  /** A name or an address; without brackets, without a zone. */
  readonly host: string;
  /** Of a link-local address: `eth0`. */
  readonly zone: string | null;
  readonly port: number;
}

/** Where node_exporter listens by itself. */
const exporterPort = 9100;

/**
 * `pi1`, `pi1:9101`, `192.168.1.11`, `fd00::1`, `[fd00::1]:9101`, `fe80::1%eth0`.
 * @throws BerryError `usage`
 */
export function parseNamedHost(text: string): NamedHost {
  // what stands before an @ may be a password
  const shown = text === "" ? "nothing" : text.includes("@") ? `…${text.slice(text.lastIndexOf("@"))}` : text;
  const wrong = (problem: string) =>
    new BerryError("usage", `--host: ${problem}: ${shown}`, {
      hint: "give a name or an address, with a port if it is not 9100: pi1, 192.168.1.11:9100, [fd00::1]:9100",
    });
  if (text.includes("://")) throw wrong("an address of the web, and not a host alone");
  if (text.includes("@")) throw wrong("a user has no place here");
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const plain = /^([^:]*)(?::([^:]*))?$/.exec(text);
  const [, name = text, portText] = bracketed ?? plain ?? [];
  const [bare = "", zone = null] = name.split("%");
  const isAddress = parseAddress(bare) !== null;
  if (portText !== undefined && !(/^[1-9]\d{0,4}$/.test(portText) && Number(portText) <= 65535))
    throw wrong("no port from 1 to 65535");
  if (zone !== null && !(bare.includes(":") && isAddress && /^[^\s/]{1,15}$/.test(zone)))
    throw wrong("a zone belongs to an IPv6 address alone");
  if (!isAddress && (bracketed !== null || !isHostName(bare)))
    throw wrong("neither the name nor the address of a host");
  return { host: bare, zone, port: portText === undefined ? exporterPort : Number(portText) };
}

/**
 * RFC 1123, section 2.1; and an underscore, which some home routers give out. What ends in a number, such as 0x7f000001
 * or 127.1, resolvers take for an address of their own.
 */
function isHostName(name: string): boolean {
  return (
    !/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(name) &&
    name.length <= 253 &&
    name
      .replace(/\.$/, "")
      .split(".")
      .every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}

/** @returns null where there is no address */
export function namedSighting({ host, port }: NamedHost, addresses: readonly Address[]): Sighting | null {
  if (addresses.length === 0) return null;
  return {
    instance: null,
    host: host.replace(/\.$/, "").replace(/\.local$/i, ""),
    addresses: [...addresses].sort(compareAddresses),
    port,
    serial: null,
    model: null,
    role: null,
    version: null,
    source: "user",
  };
}
