import { fullSpeed } from "../units.ts";
import { dutyRegister } from "./duty-register.ts";
import type { FanBackend } from "./fan-backend.ts";
import type { PigpioOutput } from "./output.ts";

/** What is used of the npm package pigpio. */
export interface Pigpio {
  readonly Gpio: PigpioGpioClass;
  terminate(): void;
}

interface PigpioGpioClass {
  new (pin: number): PigpioGpio;
  readonly OUTPUT: number;
}

interface PigpioGpio {
  mode(mode: number): unknown;
  digitalWrite(level: number): unknown;
  digitalRead(): number;
  pwmFrequency(hertz: number): unknown;
  pwmRange(range: number): unknown;
  pwmWrite(duty: number): unknown;
  hardwarePwmWrite(hertz: number, duty: number): unknown;
  getPwmDutyCycle(): number;
}

/** These have a PWM of their own in hardware; the others are driven by DMA. */
const hardwarePins = [12, 13, 18, 19];
const hardwareRange = 1_000_000;

/**
 * A pin by libpigpio, which works on Pis before the 5 without any overlay. In hardware it is exact at any frequency;
 * by DMA the library takes the nearest of its own, 8 kHz at most.
 */
export function pigpioBackend(output: PigpioOutput, load: () => Pigpio): FanBackend {
  const { pin, isInverted, frequencyHz } = output;
  let opened: { readonly library: Pigpio; readonly gpio: PigpioGpio } | null = null;
  const open = () => {
    if (opened === null) {
      const library = load();
      opened = { library, gpio: new library.Gpio(pin) };
    }
    return opened.gpio;
  };
  const isSwitched = output.mode === "on-off";
  const isHardware = !isSwitched && hardwarePins.includes(pin);
  const range = isSwitched ? 1 : isHardware ? hardwareRange : output.range;
  const set = dutyRegister({
    range,
    isInverted,
    name: `GPIO ${pin}`,
    write(value) {
      if (isSwitched) open().digitalWrite(value);
      else if (isHardware) open().hardwarePwmWrite(frequencyHz, value);
      else open().pwmWrite(value);
    },
    read: () => (isSwitched ? open().digitalRead() : open().getPwmDutyCycle()),
  });
  return {
    open() {
      const gpio = open();
      if (!isSwitched && !isHardware) {
        gpio.pwmRange(range);
        gpio.pwmFrequency(frequencyHz);
      }
      set(fullSpeed);
    },
    setDuty: set,
    dispose() {
      if (opened === null) return;
      const { gpio, library } = opened;
      opened = null;
      try {
        // a plain level goes on when the library's DMA does not
        gpio.digitalWrite(isInverted ? 0 : 1);
        gpio.mode(library.Gpio.OUTPUT);
        gpio.digitalWrite(isInverted ? 0 : 1);
        library.terminate();
      } catch {
        // the shell that comes after raises it by another way
      }
    },
  };
}
