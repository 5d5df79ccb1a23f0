import { dlopen, type FFIFunction } from "bun:ffi";
import { BerryError } from "../../core/errors.ts";

/** What of the C library the package calls: numbers in, a number out, below 0 where it failed. */
const functions = {
  gpioSetMode: 2,
  gpioGetMode: 1,
  gpioSetPullUpDown: 2,
  gpioRead: 1,
  gpioWrite: 2,
  gpioPWM: 2,
  gpioHardwarePWM: 3,
  gpioGetPWMdutycycle: 1,
  gpioSetPWMrange: 2,
  gpioGetPWMrange: 1,
  gpioGetPWMrealRange: 1,
  gpioSetPWMfrequency: 2,
  gpioGetPWMfrequency: 1,
  gpioServo: 2,
  gpioGetServoPulsewidth: 1,
  gpioHardwareRevision: 0,
  gpioCfgClock: 3,
  gpioCfgInterfaces: 1,
  gpioCfgSetInternals: 1,
  gpioInitialise: 0,
  gpioTerminate: 0,
} as const;

type Call = (...values: number[]) => number;
type Addon = Record<keyof typeof functions, Call>;

/** PI_CFG_NOSIGHANDLER: berry's own signal handlers stay. */
const withoutSignalHandlers = 1 << 10;
/** PI_DISABLE_FIFO_IF | PI_DISABLE_SOCK_IF: nobody else drives this fan. */
const withoutInterfaces = 3;

// the addon that this stands for is one a process, too
let loaded: { readonly path: string; readonly calls: Addon } | null = null;

/**
 * Opens libpigpio for the npm package, which finds `pigpioAddon`. Once a process.
 * @throws BerryError `unavailable` when it is not there or lacks a function
 */
export function loadPigpio(path: string): void {
  if (loaded?.path === path) return;
  const declared = Object.fromEntries(
    Object.entries(functions).map(([name, count]): [string, FFIFunction] => [
      name,
      {
        args: Array.from({ length: count }, () => "u32" as const),
        returns: name === "gpioTerminate" ? "void" : "i32",
      },
    ]),
  );
  try {
    loaded = { path, calls: dlopen(path, declared).symbols as unknown as Addon };
  } catch (cause) {
    throw new BerryError("unavailable", `${path}: cannot be loaded`, {
      cause,
      hint: "install pigpio (Arch Linux ARM: pigpio of the AUR; Raspberry Pi OS: apt install libpigpio1), or use another backend",
    });
  }
}

function call(name: keyof typeof functions, values: readonly number[]): number {
  if (loaded === null) throw new BerryError("software", `libpigpio is not loaded: ${name}`);
  const result = loaded.calls[name](...values);
  if (name !== "gpioTerminate" && result < 0)
    throw new BerryError("io", `libpigpio: ${name}(${values.join(", ")}) failed with ${result}`, {
      hint: "it needs root, /dev/mem, and no pigpiod beside it",
    });
  return result;
}

const quiet: Partial<Record<string, () => void>> = {
  gpioInitialise() {
    call("gpioCfgSetInternals", [withoutSignalHandlers]);
    call("gpioCfgInterfaces", [withoutInterfaces]);
  },
};

/** The functions of the package's addon that have numbers alone; it has no callbacks and no waves. */
export const pigpioAddon: Readonly<Record<string, Call>> = Object.fromEntries(
  (Object.keys(functions) as (keyof typeof functions)[]).map((name): [string, Call] => [
    name,
    (...values) => {
      quiet[name]?.();
      return call(name, values);
    },
  ]),
);
