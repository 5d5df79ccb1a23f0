import type { ConnectedFan } from "../../config/cluster.ts";
import type { Flaw } from "../../config/problem.ts";

/** What firmware and kernel have to be told so that the fan daemon finds its fans. */
export interface FanFirmware {
  /** Pins that are outputs at the fan's full speed from power-on until somebody takes them. */
  readonly levels: readonly { readonly pin: number; readonly level: "high" | "low" }[];
  readonly overlays: readonly Overlay[];
  /** The Pi 5's connector. */
  readonly connector: boolean;
  /** A GPIO that a process sets would else be an input again when the process ends. */
  readonly keepsOutputs: boolean;
}

export type Overlay =
  | { readonly name: "pwm"; readonly pin: number }
  | { readonly name: "pwm-2chan"; readonly pins: readonly [first: number, second: number] }
  | { readonly name: "gpio-fan"; readonly pin: number };

export interface FanFlaw {
  /** As in a fand.toml. */
  readonly key: string;
  readonly flaw: Flaw;
  readonly value: unknown;
}

/** BCM2835 ARM Peripherals, 9.5; `func` as the overlays count: 2 is ALT5, 4 is ALT0. */
const pwmPins: ReadonlyMap<number, { readonly channel: number; readonly func: number }> = new Map([
  [12, { channel: 0, func: 4 }],
  [13, { channel: 1, func: 4 }],
  [18, { channel: 0, func: 2 }],
  [19, { channel: 1, func: 2 }],
]);

/** The kernel's own switch: far above the daemon's, so that it acts only where there is no daemon. Millidegrees. */
const switchedOnAt = 75_000;

/** Pure. `configTxt` is the user's own: what it says of a pin is not said again. */
export function fanFirmware(
  fans: readonly ConnectedFan[],
  configTxt: readonly string[],
): FanFirmware & { readonly flaws: readonly FanFlaw[] } {
  const flaws: FanFlaw[] = [];
  const overlaid = pinsOfOverlays(configTxt);
  const driven = pinsOfDirectives(configTxt);
  const levels: FanFirmware["levels"][number][] = [];
  const modulated: number[] = [];
  const switched: number[] = [];
  let keepsOutputs = false;
  for (const fan of fans) {
    const { pin } = fan;
    if (pin === null) continue;
    if (!driven.has(pin)) levels.push({ pin, level: fan.isInverted ? "low" : "high" });
    if (overlaid.has(pin)) continue;
    const flawed = (key: string, flaw: Flaw, value: unknown) =>
      flaws.push({ key: fan.path === "" ? key : `${fan.path}.${key}`, flaw, value });
    switch (meansOf(fan)) {
      case "modulation": {
        const channel = pwmPins.get(pin)?.channel;
        const twin = modulated.find((other) => pwmPins.get(other)?.channel === channel);
        if (channel === undefined) flawed("pin", withoutPwm, pin);
        else if (twin !== undefined) flawed("pin", sameChannel(twin), pin);
        else if (hasPwmOverlay(configTxt)) flawed("pin", besideOverlay, pin);
        else modulated.push(pin);
        break;
      }
      case "kernel's switch":
        if (fan.isInverted) flawed("inverted", neverInverted, true);
        else if (switched.length === 0) switched.push(pin);
        else if (fan.backend === "hwmon") flawed("backend", onlyOneSwitch, fan.backend);
        else keepsOutputs = true;
        break;
      case "kernel's modulation":
        flawed("backend", { ...withoutOverlay, remedy: overlayOfOnesOwn(pin) }, fan.backend);
        break;
      case "line":
        keepsOutputs = true;
        break;
      case "library":
        break;
    }
  }
  const [first, second] = modulated.toSorted(byChannel);
  return {
    levels,
    overlays: [
      ...(first === undefined
        ? []
        : [
            second === undefined
              ? ({ name: "pwm", pin: first } as const)
              : ({ name: "pwm-2chan", pins: [first, second] } as const),
          ]),
      ...switched.map((pin) => ({ name: "gpio-fan", pin }) as const),
    ],
    connector: fans.some(({ pin, chip }) => pin === null && chip === null),
    keepsOutputs,
    flaws,
  };
}

/** Whether the user's lines want the analogue sound output, which has the header's PWM channels. */
export function wantsSound(configTxt: readonly string[]): boolean {
  return configTxt.some((line) => /^\s*dtparam\s*=(.*,)?\s*audio=on\b/.test(line));
}

/** A line of config.txt: `dtoverlay=pwm,pin=18,func=2`. */
export function overlayLine(overlay: Overlay): string {
  const func = (pin: number) => pwmPins.get(pin)?.func ?? 2;
  switch (overlay.name) {
    case "pwm":
      return `dtoverlay=pwm,pin=${overlay.pin},func=${func(overlay.pin)}`;
    case "pwm-2chan": {
      const [first, second] = overlay.pins;
      return `dtoverlay=pwm-2chan,pin=${first},func=${func(first)},pin2=${second},func2=${func(second)}`;
    }
    case "gpio-fan":
      return `dtoverlay=gpio-fan,gpiopin=${overlay.pin},temp=${switchedOnAt}`;
  }
}

type Means = "modulation" | "kernel's switch" | "kernel's modulation" | "line" | "library";

function meansOf({ backend, mode, isInverted }: ConnectedFan): Means {
  switch (backend) {
    case "pwm":
      return "modulation";
    case "gpio":
      return "line";
    case "pigpio":
      return "library";
    case "hwmon":
      return mode === "pwm" ? "kernel's modulation" : "kernel's switch";
    case "auto":
      if (mode === "pwm") return "modulation";
      // the kernel's driver knows no inversion, and would stop the fan where it means to switch it on
      return isInverted ? "line" : "kernel's switch";
  }
}

const withoutPwm: Flaw = {
  problem: "this GPIO has no PWM in hardware",
  remedy: `use one of ${[...pwmPins.keys()].join(", ")}, or mode = "on-off", or backend = "pigpio"`,
};
const neverInverted: Flaw = {
  problem: "the kernel's gpio-fan driver knows no inversion",
  found: null,
  remedy: 'leave backend out, or use backend = "gpio"',
};
/** A second overlay of the name would change the node that the first one made. */
const onlyOneSwitch: Flaw = {
  problem: "the kernel's gpio-fan driver has another fan of this node",
  remedy: 'leave backend out, or use backend = "gpio"',
};
const besideOverlay: Flaw = {
  problem: "not a pin of the PWM overlay in config_txt",
  remedy: "write dtoverlay=pwm-2chan with both pins there, or leave that line out",
};
const withoutOverlay = { problem: "no overlay gives the kernel's drivers PWM on this pin" };

function overlayOfOnesOwn(pin: number): string {
  return `leave backend out, or add an overlay to config_txt in [image], such as "dtoverlay=pwm-gpio-fan,fan_gpio=${pin}"`;
}

function sameChannel(twin: number): Flaw {
  return {
    problem: `the PWM channel of GPIO ${twin}`,
    remedy: "two fans need one of 12 and 18, and one of 13 and 19",
  };
}

function byChannel(one: number, other: number): number {
  return (pwmPins.get(one)?.channel ?? 0) - (pwmPins.get(other)?.channel ?? 0);
}

/** Pins of overlays that say nothing of theirs (raspberrypi/linux, arch/arm/boot/dts/overlays/README). */
const defaultPins: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  pwm: { pin: 18 },
  "pwm-2chan": { pin: 18, pin2: 19 },
  "pwm-gpio": { gpio: 4 },
  "pwm-gpio-fan": { fan_gpio: 18 },
  "gpio-fan": { gpiopin: 12 },
};
const pinParameters = new Set(["pin", "pin2", "gpio", "gpiopin", "gpio_pin", "fan_gpio"]);

function hasPwmOverlay(lines: readonly string[]): boolean {
  return lines.some((line) => /^\s*dtoverlay\s*=\s*pwm(-2chan)?\s*(,|$)/.test(line));
}

function pinsOfOverlays(lines: readonly string[]): ReadonlySet<number> {
  return new Set(
    lines.flatMap((line) => {
      const [, name = "", rest = ""] = /^\s*dtoverlay\s*=\s*([^,\s]+),?(.*)$/.exec(line) ?? [];
      const given = rest
        .split(",")
        .map((word) => /^\s*(\w+)=(\d+)\s*$/.exec(word))
        .flatMap((match) => (match === null ? [] : [[match[1] ?? "", Number(match[2])] as const]))
        .filter(([key]) => pinParameters.has(key));
      return Object.values({ ...defaultPins[name], ...Object.fromEntries(given) });
    }),
  );
}

/** Of `gpio=4,17-19=op,dh`. */
function pinsOfDirectives(lines: readonly string[]): ReadonlySet<number> {
  return new Set(
    lines.flatMap((line) => {
      const [, list = ""] = /^\s*gpio\s*=\s*([\d,\s-]+)=/.exec(line) ?? [];
      return list.split(",").flatMap((range) => {
        const [, from, to = from] = /^\s*(\d{1,2})(?:-(\d{1,2}))?\s*$/.exec(range) ?? [];
        if (from === undefined) return [];
        return Array.from({ length: Math.max(0, Number(to) - Number(from) + 1) }, (_, i) => Number(from) + i);
      });
    }),
  );
}
