import type { Sighting, SightingEvent } from "./sighting.ts";

/** Whom to look for, and where. */
export interface DiscoveryRequest {
  /** Who asks: berry itself, or the avahi of this machine. */
  readonly via: "mdns" | "avahi";
  /** Names of network interfaces; empty: all real ones. */
  readonly interfaces: readonly string[];
  /** Hosts of the user, as typed: `pi1`, `192.168.1.11`, `pi1.example:9100`, `[fd00::1]:9100`. */
  readonly hosts: readonly string[];
  /** One look ends after so long, and sooner where it is clear that nobody else will answer. */
  readonly timeoutMilliseconds: number;
  /** Whether somebody is expected who has not been heard of: silence does not end a look then. Default: nobody is. */
  readonly awaits?: (heard: readonly Sighting[]) => boolean;
  /** Called where a watch finds no network to listen on at the start: it waits for one. Default: that is an error. */
  readonly onNoNetwork?: (why: DiscoveryWarning) => void;
}

/** How the look went. */
export interface DiscoveryReport {
  readonly warnings: readonly DiscoveryWarning[];
  /** Whether so much was heard that there was little time for anything else. Default: no. */
  readonly isFlooded?: boolean;
}

export interface DiscoveryWarning {
  readonly message: string;
  readonly hint?: string;
}

/** Finds nodes. */
export interface Discovery {
  /** One look; a later sighting of the same instance replaces the earlier one. */
  browse(
    request: DiscoveryRequest,
    onSighting: (sighting: Sighting) => void,
    signal: AbortSignal,
  ): Promise<DiscoveryReport>;
  /** Looks until it is aborted, and then resolves. */
  watch(
    request: DiscoveryRequest,
    onEvent: (event: SightingEvent) => void,
    signal: AbortSignal,
  ): Promise<DiscoveryReport>;
}
