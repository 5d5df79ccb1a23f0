/** An address at which a host may be reached. */
export interface Address {
  /** Without a zone: `192.168.1.11`, `fe80::1`. */
  readonly address: string;
  readonly family: 4 | 6;
  /** Name of the interface it was seen through; of meaning to link-local addresses alone. null: not seen, but named. */
  readonly zone: string | null;
}

/**
 * One host that says it is a node, or that the user has named. Nothing of it is believed: anybody on the network can
 * say anything, so that every text is escaped wherever it goes.
 */
export interface Sighting {
  /** Of the service instance, such as `berry on pi1`; two hosts of one name have two instances. null: named by the user. */
  readonly instance: string | null;
  /** Without the final dot and without `.local`: `pi1`; avahi calls the second of its name `pi1-2`. */
  readonly host: string;
  /** Those that can be routed first; none: the user named a host whose name leads nowhere. */
  readonly addresses: readonly Address[];
  /** Of node_exporter. */
  readonly port: number;
  /** Of the board, as its device tree says, such as `10000000a1b2c3d4`; null: it did not say. */
  readonly serial: string | null;
  readonly model: string | null;
  readonly role: string | null;
  /** Of berry. */
  readonly version: string | null;
  readonly source: "mdns" | "avahi" | "user";
  /** Address that it was heard from, with a zone where it has one; undefined: somebody else has told it. */
  readonly sender?: string;
}

/** What a continuous search tells. A later `seen` of the same instance replaces the earlier one. */
export type SightingEvent =
  | { readonly event: "seen"; readonly sighting: Sighting }
  /** It said goodbye, or its records ran out. */
  | { readonly event: "gone"; readonly instance: string };
