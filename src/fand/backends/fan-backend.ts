import type { Percent } from "../units.ts";

/** What drives one fan. All of it is quick and none of it waits, so that it can be done while the process is ending. */
export interface FanBackend {
  /**
   * Takes the output. The fan runs at full speed from then on, and never stops in between.
   * @throws BerryError when it is taken, gone, or may not be written to
   */
  open(): void;
  /**
   * @returns what the output says of itself then; not less than was asked for
   * @throws BerryError `io` when it does not follow, or is gone
   */
  setDuty(duty: Percent): Percent;
  /** Leaves the fan at full speed, as far as that can be done. Never throws; may be called twice. */
  dispose(): void;
}
