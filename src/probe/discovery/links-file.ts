import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { InterfaceFacts } from "./links.ts";

/** IFF_UP and IFF_MULTICAST of linux/if.h. */
const up = 0x1;
const multicast = 0x1000;

/**
 * The interfaces of this machine that have an address or stand in sysfs (Documentation/ABI/testing/sysfs-class-net).
 * Where there is no sysfs, an interface with an address is up.
 */
export function readInterfaces(folder = "/sys/class/net"): InterfaceFacts[] {
  return Object.entries(networkInterfaces()).map(([name, addresses = []]) => {
    const at = join(folder, name);
    const flags = read(join(at, "flags"));
    const flagBits = flags === null ? up | multicast : Number(flags);
    return {
      name,
      networks: addresses.map(({ cidr }) => cidr).filter((cidr) => cidr !== null),
      isLoopback: addresses.some(({ internal }) => internal),
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

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
