import { fullSpeed } from "../units.ts";
import { type Attribute, openAttribute, writeAttribute } from "./attribute-file.ts";
import { dutyRegister } from "./duty-register.ts";
import type { FanBackend } from "./fan-backend.ts";
import type { HwmonOutput } from "./output.ts";
import { holdAttributes } from "./hold-file.ts";
import { raise } from "./raise-file.ts";

/**
 * A fan of the kernel's: pwm-fan, gpio-fan, the Pi 5's cooling_fan. `pwmN_enable` is 1 for "as we say" in each of
 * them (kernel: Documentation/hwmon/sysfs-interface.rst); without it gpio-fan refuses to be written to, and pwm-fan
 * takes what is written and gives no signal. It is looked at in every round.
 */
export function hwmonBackend(output: HwmonOutput): FanBackend {
  const { range, isInverted } = output;
  let pwm: Attribute | null = null;
  const attribute = () => (pwm ??= openAttribute(output.pwm));
  const set = dutyRegister({
    range,
    isInverted,
    name: output.pwm,
    write: (value) => attribute().write(value),
    read: () => attribute().read(),
  });
  const mode = holdAttributes(output.enable === null ? {} : { [output.enable]: 1 });
  const enable = () => {
    if (output.enable !== null) writeAttribute(output.enable, 1);
  };
  return {
    open() {
      enable();
      set(fullSpeed);
    },
    setDuty(duty) {
      if (mode.isKept()) return set(duty);
      enable();
      const seen = set(duty, true);
      mode.mustBeKept();
      return seen;
    },
    dispose() {
      mode.dispose();
      pwm?.dispose();
      pwm = null;
      raise(output);
    },
  };
}
