import type { Clock } from "../../core/ports.ts";
import type { Discovery } from "../discovery-port.ts";
import { createDiscovery } from "./discovery.ts";
import { readInterfaces } from "./links-file.ts";
import { lookUp } from "./lookup-socket.ts";
import { openMulticastSocket } from "./multicast-socket.ts";

/** Finds nodes from this machine. The library for D-Bus is loaded when avahi is asked. */
export function systemDiscovery(clock: Clock): Discovery {
  return createDiscovery({
    clock,
    monotonic: () => performance.now(),
    random: Math.random,
    interfaces: () => readInterfaces(),
    open: openMulticastSocket,
    openAvahi: async () => (await import("./avahi-dbus.ts")).openAvahi(),
    lookUp,
  });
}
