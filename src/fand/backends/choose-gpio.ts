import type { Fan } from "../config/settings.ts";
import { type Attempt, refuse, type Warning } from "./attempt.ts";
import type { Machine } from "./machine.ts";

/** A line of the header's GPIO chip, on or off. */
export function tryGpio(fan: Fan, machine: Machine): Attempt {
  if (fan.mode === "pwm") return refuse("a GPIO line is on or off", 'mode = "on-off"');
  if (fan.pin === null) return refuse("no pin is named", "pin = 18, or the GPIO of your fan");
  const owner = machine.hwmon.find(({ drives }) => drives === fan.pin);
  if (owner !== undefined)
    return refuse(`the kernel's fan driver has it: hwmon chip ${owner.name}`, 'use backend = "hwmon"');
  const [chip] = machine.gpio;
  if (chip === undefined) return refuse("no GPIO chip of a Raspberry Pi's header", null);
  if (!chip.isWritable) return refuse(`${chip.device} may not be written to`, "run it as root");
  return {
    fits: true,
    output: {
      kind: "gpio",
      device: chip.device,
      label: chip.label,
      line: fan.pin,
      isInverted: fan.isInverted,
    },
    warnings: machine.keepsOutputs === true ? [] : [forgets(fan.pin, machine)],
  };
}

/** A pin by libpigpio, on boards before the Pi 5. */
export function tryPigpio(fan: Fan, machine: Machine): Attempt {
  if (machine.board?.name === "pi5")
    return refuse("libpigpio does not know the Pi 5, whose pins are behind the RP1", "use another backend");
  if (machine.libpigpio === null)
    return refuse(
      "libpigpio.so.1 is not installed",
      "install pigpio (Arch Linux ARM: pigpio of the AUR; Raspberry Pi OS: apt install libpigpio1), or use another backend",
    );
  if (fan.pin === null) return refuse("no pin is named", "pin = 18, or the GPIO of your fan");
  if (!machine.isRoot) return refuse("libpigpio needs /dev/mem", "run it as root");
  return {
    fits: true,
    output: {
      kind: "pigpio",
      library: machine.libpigpio,
      label: machine.gpio[0]?.label ?? "pinctrl-bcm2835",
      pin: fan.pin,
      mode: fan.mode,
      frequencyHz: fan.frequencyHz ?? 25_000,
      range: fan.range ?? 255,
      isInverted: fan.isInverted,
    },
    warnings: [],
  };
}

function forgets(pin: number, { keepsOutputs, board }: Machine): Warning {
  const message = `this kernel turns GPIO ${pin} into an input when berry dies, and the fan stops until its unit raises it again`;
  const driver = `dtoverlay=gpio-fan,gpiopin=${pin} in config.txt gives the fan to the kernel, for good`;
  if (keepsOutputs === null || board?.name === "pi5") return { message, hint: driver };
  return {
    message,
    hint: `pinctrl-bcm2835.persist_gpio_outputs=1 on the kernel's command line; or ${driver}`,
  };
}
