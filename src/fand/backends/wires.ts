import type { Fan } from "../config/settings.ts";
import type { Machine } from "./machine.ts";
import type { Output } from "./output.ts";

/** GPIOs that libpigpio drives with the PWM of the hardware. */
const hardwarePins = [12, 13, 18, 19];

/**
 * What an output drives a fan by, by names that are the same however it is reached: whoever shares one of them with
 * another drives the other's fan, too. Two GPIOs may be of one channel of the board's PWM.
 */
export function wiresOf(output: Output, fan: Fan, { hwmon, board }: Machine): readonly string[] {
  const channelOf = (pin: number) => {
    const channel = board?.channels.get(pin);
    return channel === undefined ? [] : [`channel ${board?.pwmAddress} ${channel}`];
  };
  switch (output.kind) {
    case "hwmon": {
      const drives =
        hwmon.find(({ outputs }) => outputs.some(({ pwm }) => pwm === output.pwm))?.drives ?? null;
      if (drives === null) return [output.pwm];
      if (drives === "connector") return [output.pwm, "connector"];
      return [output.pwm, `GPIO ${drives}`, ...(output.chip === "gpio_fan" ? [] : channelOf(drives))];
    }
    case "pwm":
      return [
        `${output.chip} ${output.channel}`,
        ...(fan.pin === null ? ["connector"] : [`GPIO ${fan.pin}`, ...channelOf(fan.pin)]),
      ];
    case "gpio":
      return [`GPIO ${output.line}`];
    case "pigpio":
      return [
        `GPIO ${output.pin}`,
        ...(output.mode === "pwm" && hardwarePins.includes(output.pin) ? channelOf(output.pin) : []),
      ];
  }
}
