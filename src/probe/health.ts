/** What a node's node_exporter page says of it; null: the page does not say. */
export interface Health {
  /** Of the processor, in °C: berry's own metric, else that of node_exporter's thermal zone or hwmon. */
  readonly temperature: number | null;
  /** Whether the page has temperatures of the processor, and none of them can be. */
  readonly isTemperatureAbsurd: boolean;
  readonly fans: readonly FanHealth[];
  readonly load1: number | null;
  readonly processors: number | null;
  /** Bytes. */
  readonly memory: { readonly total: number; readonly available: number } | null;
  /** The root file system, in bytes. */
  readonly disk: { readonly size: number; readonly available: number; readonly isReadOnly: boolean } | null;
  /** Why the firmware slows the Pi down now: `under-voltage`, `throttled`, …; null: the kernel does not say. */
  readonly throttled: readonly string[] | null;
  readonly throttledSinceBoot: readonly string[] | null;
  /** Seconds since the epoch, by the node's own clock. */
  readonly bootTime: number | null;
  readonly now: number | null;
  readonly isClockSynchronised: boolean | null;
  /** Names of systemd units that have failed. */
  readonly failedUnits: readonly string[] | null;
  /** Of the fan daemon's last complete round, seconds since the epoch; null: there is none. */
  readonly fanUpdated: number | null;
  /** Sensors of the fan daemon that are in doubt. */
  readonly doubtfulSensors: readonly string[];
  /** As berry_build_info says. */
  readonly berryVersion: string | null;
  /** As node_uname_info says. */
  readonly hostName: string | null;
}

export interface FanHealth {
  readonly name: string;
  /** 0 to 1. */
  readonly dutyRatio: number | null;
  /** Turns a minute. */
  readonly rpm: number | null;
  readonly isStalled: boolean;
}

/** What came of asking a host for its page. */
export type Answer =
  | {
      readonly answer: "page";
      readonly health: Health;
      readonly milliseconds: number;
      readonly address: string;
      /** Addresses that were asked before that one, and had not answered when it did. */
      readonly slower: readonly string[];
      /** Its units were asked for, too, and did not come in time. */
      readonly isLate?: true;
    }
  /** Nobody listens there, or nobody answered in time, which alone is late; or its turn to be asked has not come. */
  | { readonly answer: "none"; readonly why: string; readonly isLate?: true; readonly isUnasked?: true }
  /** Something answers, and it is not node_exporter. */
  | { readonly answer: "garbage"; readonly why: string };
