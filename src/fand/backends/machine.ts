/** What of a Pi matters to fans: collected once, decided upon by `choose-output.ts`. */
export interface Machine {
  /** As the board calls itself, such as `Raspberry Pi 4 Model B Rev 1.5`; null: no device tree. */
  readonly model: string | null;
  readonly board: Board | null;
  readonly hwmon: readonly HwmonChip[];
  readonly pwm: readonly PwmChip[];
  readonly gpio: readonly GpioChip[];
  /** Whether the level of a GPIO outlives the process that set it; null: the kernel does not say. */
  readonly keepsOutputs: boolean | null;
  /** Path of libpigpio.so.1; null: not installed. */
  readonly libpigpio: string | null;
  readonly isRoot: boolean;
}

/** How the header's PWM is wired. */
export interface Board {
  readonly name: "pi1" | "pi2-3" | "pi4" | "pi5";
  /** Name of the controller's device, which is its address: chips are numbered differently by every kernel. */
  readonly pwmAddress: string;
  /** Channel by BCM number. */
  readonly channels: ReadonlyMap<number, number>;
  /** A connector for a fan of its own. */
  readonly connector: { readonly pwmAddress: string; readonly channel: number } | null;
}

export interface HwmonChip {
  readonly name: string;
  /** What the device tree says of the fan's pin: a BCM number of the header, the board's connector; null: nothing. */
  readonly drives: number | "connector" | null;
  readonly outputs: readonly HwmonPwm[];
}

export interface HwmonPwm {
  readonly number: number;
  readonly pwm: string;
  readonly enable: string | null;
  readonly tachometer: string | null;
  readonly isWritable: boolean;
}

export interface PwmChip {
  /** Path in /sys/class/pwm. */
  readonly path: string;
  /** Such as `fe20c000.pwm`. */
  readonly address: string;
  readonly channelCount: number;
  /** The pins that its pin control routes it to; null: not known. */
  readonly pins: readonly number[] | null;
  /** Channels that are exported with the polarity turned round. */
  readonly inversedChannels: readonly number[];
  readonly isWritable: boolean;
}

export interface GpioChip {
  /** Path of the character device. */
  readonly device: string;
  /** Such as `pinctrl-bcm2835`: that of the header's pins. */
  readonly label: string;
  readonly isWritable: boolean;
}

const olderChannels = new Map([
  [12, 0],
  [13, 1],
  [18, 0],
  [19, 1],
]);

/** BCM2835, BCM2836/7, BCM2711 ARM Peripherals; RP1 Peripherals, 3.1.1. */
const boards: readonly (readonly [compatible: string, Board])[] = [
  [
    "brcm,bcm2712",
    {
      name: "pi5",
      pwmAddress: "1f00098000.pwm",
      channels: new Map([
        [12, 0],
        [13, 1],
        [14, 2],
        [15, 3],
        [18, 2],
        [19, 3],
      ]),
      connector: { pwmAddress: "1f0009c000.pwm", channel: 3 },
    },
  ],
  ["brcm,bcm2711", { name: "pi4", pwmAddress: "fe20c000.pwm", channels: olderChannels, connector: null }],
  ["brcm,bcm2837", { name: "pi2-3", pwmAddress: "3f20c000.pwm", channels: olderChannels, connector: null }],
  ["brcm,bcm2836", { name: "pi2-3", pwmAddress: "3f20c000.pwm", channels: olderChannels, connector: null }],
  ["brcm,bcm2835", { name: "pi1", pwmAddress: "2020c000.pwm", channels: olderChannels, connector: null }],
];

/**
 * What the overlays `pwm` and `pwm-2chan` call the function that routes the PWM to a pin: ALT0 for 12 and 13, ALT5 for
 * 18 and 19, on the Pi 5, too, whose driver translates them; there is none for its 14 and 15, where ALT0 was a UART.
 */
export const pwmFunctions: ReadonlyMap<number, number> = new Map([
  [12, 4],
  [13, 4],
  [18, 2],
  [19, 2],
]);

/** @param compatible the root's of the device tree */
export function boardOf(compatible: readonly string[]): Board | null {
  return boards.find(([name]) => compatible.includes(name))?.[1] ?? null;
}

/** The kernel's name of the header's GPIO chip, by what the device tree calls it. */
export const gpioLabels: Readonly<Record<string, string>> = {
  "brcm,bcm2835-gpio": "pinctrl-bcm2835",
  "brcm,bcm2711-gpio": "pinctrl-bcm2711",
  "raspberrypi,rp1-gpio": "pinctrl-rp1",
};
