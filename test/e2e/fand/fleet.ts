import { pins } from "./device-tree.ts";
import type { TestUnit } from "./units.ts";

const curve =
  "curve = [[40, 20], [80, 100]]\nhysteresis = 0\ndecay = 1000\nfall_step = 0\nstep = 0\nminimum_duty = 20\nstart_kick = 0";
const [gpioFan, secondGpioFan] = pins.gpioFans;
const [free] = pins.free;

/** A daemon for each way of driving a fan, and one that can be hurt from inside. */
export const units = {
  kernelPwm: {
    name: "kernel-pwm",
    watched: "pwm",
    number: 0,
    fan: `backend = "hwmon"\npin = ${pins.pwmFan}\n${curve}`,
  },
  kernelGpio: {
    name: "kernel-gpio",
    watched: "gpio",
    number: gpioFan,
    fan: `backend = "hwmon"\npin = ${gpioFan}\nmode = "on-off"`,
  },
  pwm: {
    name: "pwm",
    watched: "pwm",
    number: 1,
    fan: `backend = "pwm"\npin = ${pins.pwm}\n${curve}`,
  },
  gpio: {
    name: "gpio",
    watched: "gpio",
    number: free,
    fan: `backend = "gpio"\npin = ${free}\nmode = "on-off"`,
  },
  injected: {
    name: "injected",
    watched: "gpio",
    number: secondGpioFan,
    fan: `backend = "hwmon"\npin = ${secondGpioFan}\nmode = "on-off"`,
    isInjected: true,
  },
} as const satisfies Record<string, TestUnit>;
