import type { Fan } from "../config/settings.ts";
import { type Attempt, refuse, type Warning } from "./attempt.ts";
import type { HwmonChip, HwmonPwm, Machine } from "./machine.ts";
import type { HwmonOutput } from "./output.ts";

/** The kernel's own fan drivers; any other chip has to be named. */
const fanDrivers = ["pwmfan", "gpio_fan"];
/** What full speed is to every driver (kernel: Documentation/hwmon/sysfs-interface.rst). */
const range = 255;

/**
 * A fan that the kernel drives: it goes on whatever becomes of berry. Of several that are meant, the first that is
 * free, and the first of all where none is.
 */
export function tryHwmon(
  fan: Fan,
  { hwmon, board }: Machine,
  isFree: (output: HwmonOutput) => boolean = () => true,
): Attempt {
  const withOutputs = hwmon.filter(({ outputs }) => outputs.length > 0);
  const named = withOutputs.filter(({ name }) => fan.chip === null || name === fan.chip);
  if (named.length === 0)
    return refuse(
      fan.chip === null
        ? "no hwmon chip has a PWM output: no fan driver of the kernel is loaded"
        : `no hwmon chip ${fan.chip} with a PWM output${list(withOutputs)}`,
      board?.name === "pi5" && fan.pin === null
        ? "dtparam=cooling_fan=on in config.txt, for the fan connector"
        : overlayFor(fan),
    );
  const meant = named.filter((one) => isMeant(one, fan)).sort(byDriver);
  const [chip] = meant;
  if (chip === undefined) return refuse(named.map(whoseIs).join(", "), overlayFor(fan));
  const fitting = meant.flatMap((one) =>
    one.outputs
      .filter(({ number }) => fan.channel === null || number === fan.channel)
      .map((pwm) => ({ isWritable: pwm.isWritable, output: outputOf(one, pwm, fan) })),
  );
  const found = fitting.find(({ output }) => isFree(output)) ?? fitting[0];
  if (found === undefined)
    return refuse(
      `hwmon chip ${chip.name} has no pwm${fan.channel}, but ${chip.outputs.map(({ number }) => `pwm${number}`).join(", ")}`,
      "correct channel",
    );
  if (!found.isWritable) return refuse(`${found.output.pwm} may not be written to`, "run it as root");
  return {
    fits: true,
    output: found.output,
    warnings: [
      ...(fan.frequencyHz === null ? [] : [withoutEffect(`frequency = ${fan.frequencyHz}`)]),
      ...(fan.range === null ? [] : [withoutEffect(`range = ${fan.range}`)]),
    ],
  };
}

function outputOf({ name }: HwmonChip, { pwm, enable, tachometer }: HwmonPwm, fan: Fan): HwmonOutput {
  return { kind: "hwmon", chip: name, pwm, enable, tachometer, range, isInverted: fan.isInverted };
}

function withoutEffect(setting: string): Warning {
  return {
    message: `${setting} has no effect: the kernel's driver has its own`,
    hint: 'remove it, or use backend = "pwm"',
  };
}

/** A pin is the same pin; without one, any fan driver, and any chip that is named. */
function isMeant({ name, drives }: HwmonChip, fan: Fan): boolean {
  if (fan.chip !== null || fan.backend === "hwmon")
    return drives === null || fan.pin === null || drives === fan.pin;
  if (fan.pin === null) return fanDrivers.includes(name);
  return drives === fan.pin;
}

/** The kernel's fan drivers first. */
function byDriver(one: HwmonChip, other: HwmonChip): number {
  return Number(fanDrivers.includes(other.name)) - Number(fanDrivers.includes(one.name));
}

function whoseIs({ name, drives }: HwmonChip): string {
  if (drives === "connector") return `hwmon chip ${name} drives the fan connector`;
  return drives === null
    ? `hwmon chip ${name} does not say which pin it drives: name it by chip, without pin`
    : `hwmon chip ${name} drives GPIO ${drives}`;
}

function list(chips: readonly HwmonChip[]): string {
  return chips.length === 0 ? "" : `: there is ${chips.map(({ name }) => name).join(", ")}`;
}

function overlayFor({ pin, mode }: Fan): string | null {
  if (pin === null) return null;
  return mode === "on-off"
    ? `dtoverlay=gpio-fan,gpiopin=${pin} in config.txt: the kernel's driver then keeps the fan`
    : null;
}
