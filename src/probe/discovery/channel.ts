import { BerryError, messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Link } from "./links.ts";

/** What a search takes of the machine. */
export interface DiscoveryPorts {
  readonly open: OpenChannel;
  readonly clock: Clock;
  /** Milliseconds that have passed since some moment, without those in which the machine slept; never set. */
  readonly monotonic: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

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
export type OpenChannel = (link: Link, port: ChannelPort, events: ChannelEvents) => Promise<Channel>;

export type ChannelPort = "ephemeral" | "mdns";

/** How it went on a link. */
export interface LinkReport {
  readonly name: string;
  readonly family: 4 | 6;
  /** Packets. */
  readonly sent: number;
  readonly received: number;
  readonly malformed: number;
  /** The first thing that went wrong; null: nothing did. */
  readonly error: string | null;
}

/** A channel that counts. One that could not be opened sends nothing. */
export interface CountingChannel extends Disposable {
  readonly link: Link;
  report(): LinkReport;
  send(packet: Uint8Array): void;
}

/** @param onPacket says what came of a packet; what is `foreign` is not counted */
export async function openCounting(
  link: Link,
  port: ChannelPort,
  open: OpenChannel,
  onPacket: (packet: Uint8Array, source: string, port: number) => "received" | "malformed" | "foreign",
): Promise<CountingChannel> {
  const counts = { sent: 0, received: 0, malformed: 0, foreign: 0 };
  let error: string | null = null;
  const onError = (problem: string) => {
    error ??= problem;
  };
  const channel = await open(link, port, {
    onPacket: (packet, source, port) => {
      counts[onPacket(packet, source, port)] += 1;
    },
    onError,
  }).catch((thrown: unknown) => {
    onError(messageOf(thrown));
    return null;
  });
  return {
    link,
    report: () => {
      const { foreign: _, ...counted } = counts;
      return { name: link.name, family: link.family, ...counted, error };
    },
    send(packet) {
      if (channel === null) return;
      counts.sent += 1;
      channel.send(packet);
    },
    [Symbol.dispose]: () => channel?.close(),
  };
}

/** @throws BerryError `unavailable` where nothing was heard on any link because something is wrong with each */
export function checkAnyWorks(reports: readonly LinkReport[]): void {
  if (!reports.every(({ received, error }) => error !== null && received === 0)) return;
  const told = reports.map(({ name, family, error }) => `${name} over IPv${family}: ${error}`);
  throw new BerryError("unavailable", `no interface could be asked for nodes: ${told.join("; ")}`, {
    hint: "let UDP to port 5353 out and its answers in, or name the nodes with --host",
  });
}
