import { pinsOfOverlay, type BootLine } from "./boot-line.ts";
import { overlaysOf, parameterOf } from "./config-txt.ts";
import type { BootFacts } from "./facts.ts";

/**
 * What has to be done so that the firmware loads a line: write it, or else what keeps a line that is there from
 * having an effect.
 * @param fan whose line it is
 */
export function bootRemedy(
  wanted: BootLine,
  { pin }: { readonly pin: number | null },
  boot: BootFacts,
  drivers: Drivers,
): { readonly remedy: string; readonly line: string } {
  const { line, overlay } = wanted;
  const path = boot.configTxt?.path ?? "config.txt on the boot partition";
  // what is made anew with every kernel has to hold it in both places
  const places = boot.madeFrom === null ? path : `${path} and ${boot.madeFrom}`;
  const remedy = (text: string) => ({ remedy: text, line });
  const hindrance = hindranceOf(wanted, boot);
  const present = presentLine(wanted, pin, boot);
  if (present === null) {
    if (hindrance !== null) return remedy(hindrance);
    const other = otherPin(wanted, pin, boot);
    if (other !== null) return remedy(`put ${line} in place of ${other} in ${places}, then sudo reboot`);
    const sees =
      overlay === null ? "; the firmware does the same when it finds a fan there as it starts" : "";
    return remedy(`add ${line} to ${places}, below [all], then sudo reboot${sees}`);
  }
  if (present.applies === false)
    return remedy(
      `${path} has ${line} below ${present.filter}, which is not this board: move it below [all]`,
    );
  const module = idleDriver(wanted, boot, drivers);
  if (module !== null)
    return remedy(
      `the firmware took it, and no driver did: sudo modprobe ${module}; see dmesg for what it says`,
    );
  if (boot.configTxt?.isNewerThanBoot === false)
    return remedy(
      hindrance ??
        `${path} has ${present.text} already, and the firmware did not take it: sudo vclog --msg (older: sudo vcdbg log msg) says why`,
    );
  return remedy(`${path} has ${present.text} already, and it is not loaded yet: sudo reboot`);
}

/** What keeps the firmware from applying any such line; null: nothing that can be seen. */
function hindranceOf({ overlay }: BootLine, boot: BootFacts): string | null {
  if (overlay === null)
    return boot.hasCoolingFan
      ? null
      : "the device tree of this kernel does not know the fan connector: install the kernel of Raspberry Pi (Arch Linux ARM: linux-rpi)";
  if (!boot.hasSymbols)
    return `the device tree of this kernel has no symbols, without which the firmware applies no overlay: install a kernel whose device trees have them (Arch Linux ARM: linux-rpi; Debian: 6.12)${overlay === "gpio-fan" ? '; or backend = "gpio", which needs no overlay' : ""}`;
  if (boot.isUBoot)
    return "U-Boot starts this kernel, maybe with a device tree of its own, to which the firmware's overlays are not applied: add the line all the same and reboot, or install a kernel that the firmware starts itself (Arch Linux ARM: linux-rpi)";
  if (boot.configTxt !== null && boot.overlays?.includes(overlay) !== true)
    return `overlays/${overlay}.dtbo is not there beside ${boot.configTxt.path}: ${overlay === "pwm-gpio-fan" ? "it came with kernels of 2024: update the system, or connect the fan to 12, 13, 18 or 19" : "install the overlays of your kernel; an image baked with [fan] in berry.toml brings them"}`;
  return null;
}

/** Which of the kernel's drivers have found something. */
export interface Drivers {
  readonly hasPwm: boolean;
  readonly hasFan: boolean;
}

/** The module that should drive what the firmware has put into the device tree, and does not; null: none. */
function idleDriver(
  { overlay }: BootLine,
  { devices }: BootFacts,
  { hasPwm, hasFan }: Drivers,
): string | null {
  if (overlay === "pwm" || overlay === "pwm-2chan")
    return !hasPwm && devices.includes("brcm,bcm2835-pwm") ? "pwm-bcm2835" : null;
  const compatible = overlay === "gpio-fan" ? "gpio-fan" : "pwm-fan";
  return !hasFan && devices.includes(compatible) ? compatible : null;
}

function presentLine({ overlay, line }: BootLine, pin: number | null, { configTxt }: BootFacts) {
  const lines = configTxt?.lines ?? [];
  if (overlay === null) {
    const isOn = ["on", "yes", "true", "1"].includes(parameterOf(lines, "cooling_fan") ?? "");
    if (isOn) return { applies: true, filter: null, text: line };
    return lines.find(({ text, applies }) => text === line && applies === false) ?? null;
  }
  const same = overlaysOf(lines).filter(
    (one) => isSameKind(one.overlay, overlay) && pinsOfOverlay(one).some((place) => place.pin === pin),
  );
  return same.find(({ applies }) => applies !== false) ?? same[0] ?? null;
}

/** A line of the same overlay for another pin, which is only there once. */
function otherPin({ overlay }: BootLine, pin: number | null, { configTxt }: BootFacts): string | null {
  const isOnce = overlay === "pwm" || overlay === "pwm-2chan";
  if (!isOnce) return null;
  const other = overlaysOf(configTxt?.lines ?? []).find(
    (one) =>
      one.applies !== false &&
      isSameKind(one.overlay, overlay) &&
      pinsOfOverlay(one).every((place) => place.pin !== pin),
  );
  return other?.text ?? null;
}

function isSameKind(one: string, other: string): boolean {
  return (
    one === other ||
    (one.startsWith("pwm-2chan") && other === "pwm") ||
    (one === "pwm" && other === "pwm-2chan")
  );
}
