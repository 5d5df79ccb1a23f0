import type { Link } from "./links.ts";

/** A socket of one link. */
export interface Channel {
  /** To all hosts of the link. Whatever goes wrong is told by `onError`. */
  send(packet: Uint8Array): void;
  close(): void;
}

export interface ChannelEvents {
  /** @param source with its zone, where it has one: `fe80::1%eth0` */
  readonly onPacket: (packet: Uint8Array, source: string, port: number) => void;
  readonly onError: (problem: string) => void;
}

/**
 * Opens a socket from which queries go out of one interface: from an ephemeral port, to which responders answer at
 * once (RFC 6762, section 6.7), or from port 5353 beside whoever has it, where all that they say to each other is
 * heard, too (section 15.1).
 * @throws Error with what the system says
 */
export type OpenChannel = (link: Link, port: "ephemeral" | "mdns", events: ChannelEvents) => Promise<Channel>;
