import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { InterfaceFacts } from "./links.ts";

/** IFF_UP, IFF_LOOPBACK and IFF_MULTICAST of linux/if.h. */
const up = 0x1;
const loopback = 0x8;
const multicast = 0x1000;

/**
 * The interfaces of this machine (Documentation/ABI/testing/sysfs-class-net). Where there is no sysfs, those that have
 * an address, and they are up.
 */
export function readInterfaces(folder = "/sys/class/net"): InterfaceFacts[] {
  const withAddresses = networkInterfaces();
  return [...new Set([...Object.keys(withAddresses), ...list(folder)])].map((name) => {
    const addresses = withAddresses[name] ?? [];
    const at = join(folder, name);
    const flags = read(join(at, "flags"));
    const flagBits = flags === null ? up | multicast : Number(flags);
    return {
      name,
      networks: addresses.map(({ cidr }) => cidr).filter((cidr) => cidr !== null),
      isLoopback: (flagBits & loopback) !== 0 || addresses.some(({ internal }) => internal),
      isUp: (flagBits & up) !== 0,
      canMulticast: (flagBits & multicast) !== 0,
      isBridge: existsSync(join(at, "bridge")),
      isPhysical: existsSync(join(at, "device")),
      kind: existsSync(join(at, "tun_flags"))
        ? "tun"
        : (/^DEVTYPE=(.+)$/m.exec(read(join(at, "uevent")) ?? "")?.[1] ?? null),
    };
  });
}

/** Of sysfs; bonding_masters is no interface. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => existsSync(join(folder, name, "flags")));
  } catch {
    return [];
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
