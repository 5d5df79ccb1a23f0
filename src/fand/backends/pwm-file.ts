import { existsSync } from "node:fs";
import { BerryError } from "../../core/errors.ts";
import { lineOf } from "../sensors/find-sensor-file.ts";
import { fullSpeed } from "../units.ts";
import { type Attribute, openAttribute, writeAttribute } from "./attribute-file.ts";
import { dutyRegister } from "./duty-register.ts";
import type { FanBackend } from "./fan-backend.ts";
import type { PwmOutput } from "./output.ts";
import { holdAttributes } from "./hold-file.ts";
import { raise } from "./raise-file.ts";
import { takeChannel } from "./take-channel.ts";

/**
 * A PWM channel in sysfs (kernel: Documentation/driver-api/pwm.rst). It goes on when the process ends, however that
 * comes: it is never disabled and never unexported, which would stop it. Whether somebody else has done that, or has
 * changed its period, is looked at in every round.
 */
export function pwmBackend(output: PwmOutput): FanBackend {
  const folder = `${output.chip}/pwm${output.channel}`;
  const period = output.periodNanoseconds;
  let duty: Attribute | null = null;
  const attribute = () => (duty ??= openAttribute(`${folder}/duty_cycle`));
  const toNanoseconds = (steps: number) => Math.round((steps * period) / output.range);
  const set = dutyRegister({
    range: output.range,
    isInverted: output.isInverted,
    name: `${folder}/duty_cycle`,
    write: (value) => attribute().write(toNanoseconds(value)),
    read: () => Math.round((attribute().read() * output.range) / period),
  });
  const signal = holdAttributes({ [`${folder}/enable`]: 1, [`${folder}/period`]: null });
  const take = () => {
    if (!existsSync(folder)) writeAttribute(`${output.chip}/export`, output.channel);
    if (!existsSync(folder))
      throw new BerryError("io", `${folder}: did not appear when it was exported`, {
        hint: "see dmesg for what the PWM driver says",
      });
    const numberAt = (name: string) => Number(lineOf(`${folder}/${name}`) ?? 0);
    const now = {
      period: numberAt("period"),
      duty_cycle: numberAt("duty_cycle"),
      enable: numberAt("enable"),
    };
    for (const [name, value] of takeChannel(now, period, output.isInverted ? 0 : period))
      writeAttribute(`${folder}/${name}`, value);
  };
  return {
    open() {
      take();
      signal.mustBeKept();
      set(fullSpeed);
    },
    setDuty(duty) {
      if (signal.isKept()) return set(duty);
      // at full speed first, as a channel with another period is taken
      take();
      const seen = set(duty, true);
      signal.mustBeKept();
      return seen;
    },
    dispose() {
      signal.dispose();
      duty?.dispose();
      duty = null;
      raise(output);
    },
  };
}
