import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Ioctl } from "../backends/gpio-file.ts";
import { decodeLineConsumer, encodeLineInfo, getLineInfoRequest } from "../backends/gpio-lines.ts";
import type { GpioChip } from "../backends/machine.ts";
import { entriesOf, textOf } from "../sensors/find-sensor-file.ts";
import type { PinFacts } from "./facts.ts";

/**
 * Who has pins of the header. What may not be read is not known.
 * @param ioctl null: nobody is asked
 * @param sys `/sys`
 */
export function collectPins(
  pins: readonly number[],
  chip: GpioChip | undefined,
  ioctl: Ioctl | null,
  sys: string,
): readonly PinFacts[] {
  if (chip === undefined) return [];
  const routed = pinmuxOf(sys, chip.label);
  return pins.map((pin) => ({
    pin,
    consumer: ioctl === null ? null : consumerOf(chip.device, pin, ioctl),
    device: routed.get(pin) ?? null,
  }));
}

function consumerOf(device: string, line: number, ioctl: Ioctl): string | null {
  const bytes = encodeLineInfo(line);
  try {
    const file = openSync(device, "r");
    try {
      ioctl(file, getLineInfoRequest, bytes);
    } finally {
      closeSync(file);
    }
    return decodeLineConsumer(bytes);
  } catch {
    return null;
  }
}

/** Devices by pin, of debugfs, which root alone reads (kernel: Documentation/driver-api/pin-control.rst). */
function pinmuxOf(sys: string, label: string): ReadonlyMap<number, string> {
  const folder = join(sys, "kernel/debug/pinctrl");
  const chip = entriesOf(folder).find((name) => name.endsWith(label));
  if (chip === undefined) return new Map();
  const devices = new Map<number, string>();
  for (const line of textOf(join(folder, chip, "pinmux-pins")).split("\n")) {
    // pin 18 (gpio18): fe20c000.pwm (GPIO UNCLAIMED) function alt5 group gpio18
    const [, pin, device] = /^pin (\d+) \([^)]*\): (?:device )?(?!GPIO |UNCLAIMED)([^\s(]+)/.exec(line) ?? [];
    if (pin !== undefined && device !== undefined) devices.set(Number(pin), device);
  }
  return devices;
}
