/** Where health ends. Every limit with its reason; percentages of the whole, temperatures in °C. */

/** The firmware slows a Pi down from 80 °C on, and hard from 85 °C on (Raspberry Pi documentation, frequency management). */
export const hotCelsius = 80;
/** Near enough that a little more work, or a warmer room, gets there. */
export const warmCelsius = 75;
/** What no sensor of a board that runs measures: the processor is made for -40 to 85 °C, and stops at 125 at the latest. */
export const possibleCelsius = { least: -40, most: 125 } as const;

/** To a tenth, as people see it; judged, too, so that 79.96 is not shown as 80.0 and called less. */
export function shownCelsius(celsius: number): number {
  return Math.round(celsius * 10) / 10;
}

/** The fan daemon writes every second; so long a silence is no pause of a busy node. */
export const fanStaleSeconds = 30;
/** Time to tidy up: on a card of 8 GB, 800 MB are what an update of the distribution and its cache take. */
export const diskWarningPercent = 90;
/** ext4 keeps five percent for root, and journald stops at 85 to 90: what still grows there will stop soon. */
export const diskCriticalPercent = 97;
/** Below it the kernel drops what it has cached of programs, and an SD card reads them back slowly. */
export const memoryAvailableWarningPercent = 5;
