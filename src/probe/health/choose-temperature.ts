import { possibleCelsius } from "./limits.ts";

/** A temperature in °C, and the type of the zone, the chip or the sensor that it is of. */
export interface Reading {
  readonly of: string;
  readonly value: number;
}

export interface Readings {
  /** Of berry's fan daemon. */
  readonly sensors: readonly Reading[];
  /** Of the kernel's thermal zones, by type. */
  readonly zones: readonly Reading[];
  /** Of hwmon, by chip. */
  readonly chips: readonly Reading[];
  /** The driver's name of each chip of hwmon. */
  readonly chipNames: ReadonlyMap<string, string>;
}

/** `cpu-thermal` since Linux 4.x, `bcm2835_thermal` on old kernels of the Pi; the others are of other boards. */
const processorZone = /cpu|soc|bcm2\d+|pkg/i;
const processorChip = /cpu|soc|coretemp|k10temp|thermal_zone0/i;

/**
 * The processor's temperature in °C, the highest where there are several: of berry's sensors, else of the thermal zone,
 * else of hwmon. Disks, power supplies and radios are none.
 * @returns null where nothing says it; "absurd": all that says it says what cannot be
 */
export function chooseTemperature({ sensors, zones, chips, chipNames }: Readings): number | "absurd" | null {
  const ofZones = zones.filter(({ of }) => processorZone.test(of));
  const ofChips = chips.filter(({ of }) => processorChip.test(chipNames.get(of) ?? of));
  const sources = [sensors, ofZones, ofChips];
  for (const readings of sources) {
    const possible = readings.map(({ value }) => value).filter(isPossible);
    if (possible.length > 0) return Math.max(...possible);
  }
  return sources.some(({ length }) => length > 0) ? "absurd" : null;
}

function isPossible(celsius: number): boolean {
  return celsius >= possibleCelsius.least && celsius <= possibleCelsius.most;
}
