import type { Sighting } from "../sighting.ts";

/** The serial without a difference of case; a row of zeros, as emulators have it, is none. */
export function serialOf({ serial }: Sighting): string | null {
  const key = serial?.trim().toLowerCase() ?? "";
  return key === "" || /^0+$/.test(key) ? null : key;
}

/** Where a board may be asked. A link-local address is another host's on each interface. */
export function endpointsOf({ addresses, port }: Sighting): ReadonlySet<string> {
  return new Set(
    addresses.map(({ address, zone }) => {
      const isLinkLocal = /^(?:fe[89ab]|169\.254\.)/i.test(address);
      return `${address.toLowerCase()}%${isLinkLocal ? zone : ""} ${port}`;
    }),
  );
}

/** Host names have no case (RFC 4343), and berry.toml knows them without a domain. */
export function hostKey(host: string): string {
  const key = host.toLowerCase().replace(/\.$/, "");
  return /^[\d.]+$|:/.test(key) ? key : (key.split(".", 1)[0] ?? key);
}

/** `pi1` of `pi1-2`, which is what avahi makes of the second `pi1` of a network (RFC 6762, section 9). */
export function baseOf(host: string): string {
  return hostKey(host).replace(/(?<=.)-\d{1,3}$/, "");
}
