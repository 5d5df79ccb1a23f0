declare const unit: unique symbol;

/** Degrees Celsius. */
export type Celsius = number & { readonly [unit]: "celsius" };

/** A duty cycle or speed, 0 to 100. */
export type Percent = number & { readonly [unit]: "percent" };

export function celsius(value: number): Celsius {
  return value as Celsius;
}

/** @throws RangeError outside of 0 to 100 */
export function percent(value: number): Percent {
  if (!(value >= 0 && value <= 100)) throw new RangeError(`${value} is no percentage`);
  return value as Percent;
}

export const fullSpeed = percent(100);
export const standstill = percent(0);
