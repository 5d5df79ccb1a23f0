import type { Fan } from "../config/settings.ts";
import type { Attempt, Refusal, Warning } from "./attempt.ts";
import { tryGpio, tryPigpio } from "./choose-gpio.ts";
import { tryHwmon } from "./choose-hwmon.ts";
import { tryPwm } from "./choose-pwm.ts";
import type { Machine } from "./machine.ts";
import type { Output } from "./output.ts";

export interface Choice {
  /** null: nothing fits. */
  readonly output: Output | null;
  readonly warnings: readonly Warning[];
  /** The backends that were looked at before, or in vain. */
  readonly refusals: readonly (Refusal & { readonly backend: Output["kind"] })[];
}

const attempts: Readonly<Record<Output["kind"], (fan: Fan, machine: Machine) => Attempt>> = {
  hwmon: tryHwmon,
  pwm: tryPwm,
  gpio: tryGpio,
  pigpio: tryPigpio,
};

/** In the order of how well a fan is off when its daemon is dead. */
const preference: readonly Output["kind"][] = ["hwmon", "pwm", "gpio", "pigpio"];

/** The backend that the fan names, else the first that fits. */
export function chooseOutput(fan: Fan, machine: Machine): Choice {
  const refusals: (Refusal & { readonly backend: Output["kind"] })[] = [];
  for (const backend of fan.backend === "auto" ? preference : [fan.backend]) {
    const attempt = attempts[backend](fan, machine);
    if (attempt.fits) return { output: attempt.output, warnings: attempt.warnings, refusals };
    refusals.push({ ...attempt, backend });
  }
  return { output: null, warnings: [], refusals };
}
