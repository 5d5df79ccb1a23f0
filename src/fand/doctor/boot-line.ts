import { type Board, pwmFunctions } from "../backends/machine.ts";
import type { Fan } from "../config/settings.ts";
import type { OverlayLine } from "./config-txt.ts";

/** The line of config.txt that gives a fan to the kernel, or its pin to the PWM (kernel of Raspberry Pi: overlays/README). */
export interface BootLine {
  readonly line: string;
  /** null: a parameter of the board's own device tree. */
  readonly overlay: string | null;
}

/** null: no line would help, as no pin is named, or the backend needs none. */
export function bootLineOf(
  fan: Pick<Fan, "pin" | "mode" | "backend">,
  fans: readonly Fan[],
  board: Board | null,
): BootLine | null {
  const { pin, mode, backend } = fan;
  if (pin === null)
    return board?.connector === null || board === null
      ? null
      : { line: "dtparam=cooling_fan=on", overlay: null };
  if (backend === "gpio" || backend === "pigpio") return null;
  if (mode === "on-off")
    return backend === "pwm"
      ? pwmLine(pin, fans, board)
      : { line: `dtoverlay=gpio-fan,gpiopin=${pin}`, overlay: "gpio-fan" };
  const line = backend === "hwmon" ? null : pwmLine(pin, fans, board);
  return (
    line ??
    // by software, at 50 Hz
    (backend === "pwm" ? null : { line: `dtoverlay=pwm-gpio-fan,fan_gpio=${pin}`, overlay: "pwm-gpio-fan" })
  );
}

/** Two channels are one overlay: the second of two `pwm` would turn the first off. */
function pwmLine(pin: number, fans: readonly Fan[], board: Board | null): BootLine | null {
  const func = pwmFunctions.get(pin);
  if (func === undefined) return null;
  const channel = board?.channels.get(pin);
  const other = fans
    .map((fan) => fan.pin)
    .find((one) => one !== null && pwmFunctions.has(one) && board?.channels.get(one) !== channel);
  if (other === undefined || other === null)
    return { line: `dtoverlay=pwm,pin=${pin},func=${func}`, overlay: "pwm" };
  const [first = pin, second = pin] = [pin, other].sort((one, another) => (one % 2) - (another % 2));
  return {
    line: `dtoverlay=pwm-2chan,pin=${first},func=${pwmFunctions.get(first)},pin2=${second},func2=${pwmFunctions.get(second)}`,
    overlay: "pwm-2chan",
  };
}

/** The pins that an overlay of config.txt is for, each with its function where the overlay has one. */
export function pinsOfOverlay({
  overlay,
  parameters,
}: OverlayLine): readonly { readonly pin: number; readonly func: number | null }[] {
  const number = (name: string, preset: number) => Number(parameters.get(name) ?? preset);
  switch (overlay) {
    case "pwm":
      return [{ pin: number("pin", 18), func: number("func", 2) }];
    case "pwm-2chan":
      return [
        { pin: number("pin", 18), func: number("func", 2) },
        { pin: number("pin2", 19), func: number("func2", 2) },
      ];
    case "gpio-fan":
      return [{ pin: number("gpiopin", 12), func: null }];
    case "pwm-gpio-fan":
      return [{ pin: number("fan_gpio", 18), func: null }];
    case "pwm-gpio":
      return [{ pin: number("gpio", 4), func: null }];
  }
  return [];
}

/** Whether a function routes the PWM to a pin; null: such a pin has none. */
export function isPwmFunction(pin: number, func: number): boolean | null {
  const right = pwmFunctions.get(pin);
  return right === undefined ? null : right === func;
}
