/** Where a fan is connected, every value resolved. */
export type Output = HwmonOutput | PwmOutput | GpioOutput | PigpioOutput;

export interface HwmonOutput {
  readonly kind: "hwmon";
  /** `name` of the chip, such as `pwmfan`. */
  readonly chip: string;
  /** Path of `pwmN`. */
  readonly pwm: string;
  /** Path of `pwmN_enable`; null: the driver has none, and follows `pwmN` always. */
  readonly enable: string | null;
  /** Path of `fanN_input`, in turns a minute; null: it does not count. */
  readonly tachometer: string | null;
  /** What `pwmN` is at full speed: 255. */
  readonly range: number;
  readonly isInverted: boolean;
}

export interface PwmOutput {
  readonly kind: "pwm";
  /** Path of the chip's folder in /sys/class/pwm. */
  readonly chip: string;
  readonly channel: number;
  readonly periodNanoseconds: number;
  /** How many duties there are between off and full speed. */
  readonly range: number;
  readonly isInverted: boolean;
}

export interface GpioOutput {
  readonly kind: "gpio";
  /** Path of the character device, such as /dev/gpiochip0. */
  readonly device: string;
  /** What the kernel calls the chip, such as `pinctrl-bcm2835`. */
  readonly label: string;
  readonly line: number;
  readonly isInverted: boolean;
}

export interface PigpioOutput {
  readonly kind: "pigpio";
  /** Path of libpigpio.so.1. */
  readonly library: string;
  /** What the kernel calls the chip of the pin. */
  readonly label: string;
  readonly pin: number;
  readonly mode: "pwm" | "on-off";
  readonly frequencyHz: number;
  readonly range: number;
  readonly isInverted: boolean;
}

/** In words, for people. */
export function describeOutput(output: Output): string {
  switch (output.kind) {
    case "hwmon":
      return `hwmon chip ${output.chip} (${output.pwm})`;
    case "pwm":
      return `PWM channel ${output.channel} of ${output.chip}, ${Math.round(1e9 / output.periodNanoseconds)} Hz`;
    case "gpio":
      return `line ${output.line} of ${output.device} (${output.label})`;
    case "pigpio":
      return `GPIO ${output.pin} by ${output.library}`;
  }
}
