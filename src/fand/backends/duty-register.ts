import { BerryError } from "../../core/errors.ts";
import { percent } from "../units.ts";
import type { Percent } from "../units.ts";

/** A number that a driver holds: 0 to `range`. */
export interface Register {
  readonly range: number;
  /** Full speed is 0. */
  readonly isInverted: boolean;
  /** For messages. */
  readonly name: string;
  write(value: number): void;
  read(): number;
}

/**
 * Sets a register and reads it back: written only when it is not what it should be. A driver that knows few speeds may
 * run faster than it was told, never slower; somebody else who writes to it is overruled.
 * @returns a function that returns the duty read back, and throws BerryError `io` where it is less than was asked for;
 * told that what drives the output was turned off meanwhile, it writes whatever it reads
 */
export function dutyRegister(register: Register): (duty: Percent, wasOff?: boolean) => Percent {
  const { range, isInverted } = register;
  const rawOf = (duty: Percent) => {
    // rounded towards more cooling
    const raw = Math.max(0, Math.min(range, Math.ceil((duty * range) / 100 - 1e-9)));
    return isInverted ? range - raw : raw;
  };
  const speedOf = (raw: number) => (isInverted ? range - raw : raw);
  let last: { readonly wanted: number; readonly seen: number } | null = null;
  return (duty, wasOff = false) => {
    const wanted = rawOf(duty);
    let seen = last?.wanted === wanted && !wasOff ? register.read() : null;
    if (seen === null || seen !== last?.seen) {
      last = null;
      register.write(wanted);
      seen = register.read();
    }
    if (!Number.isInteger(seen) || speedOf(seen) < speedOf(wanted))
      throw new BerryError(
        "io",
        `${register.name}: does not follow: ${wanted} was written, ${seen} is read`,
        {
          hint: "see which other program or driver owns this fan",
        },
      );
    last = { wanted, seen };
    return percent(Math.min(100, Math.max(0, (speedOf(seen) * 100) / range)));
  };
}
