export interface ChannelState {
  readonly period: number;
  readonly duty_cycle: number;
  readonly enable: number;
}

/**
 * What to write to a PWM channel, in this order, so that it runs at full speed with another period. The kernel refuses
 * a duty above the period at every single step, and a channel that runs never stops in between.
 * @param full the duty of full speed: the period, or 0
 */
export function takeChannel(
  now: ChannelState,
  period: number,
  full: number,
): readonly (readonly [attribute: keyof ChannelState, value: number])[] {
  return [
    ...(now.duty_cycle > period ? [["duty_cycle", full] as const] : []),
    ...(now.period === period ? [] : [["period", period] as const]),
    ["duty_cycle", full],
    ...(now.enable === 1 ? [] : [["enable", 1] as const]),
  ];
}
