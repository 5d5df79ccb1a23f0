import type { Fan } from "../config/settings.ts";
import { type Attempt, type Refusal, refuse, type Warning } from "./attempt.ts";
import { tryGpio, tryPigpio } from "./choose-gpio.ts";
import { tryHwmon } from "./choose-hwmon.ts";
import { tryPwm } from "./choose-pwm.ts";
import type { Machine } from "./machine.ts";
import { describeOutput, type Output } from "./output.ts";
import { wiresOf } from "./wires.ts";

export interface Choice {
  /** null: nothing fits. */
  readonly output: Output | null;
  readonly warnings: readonly Warning[];
  /** The backends that were looked at before, or in vain. */
  readonly refusals: readonly BackendRefusal[];
}

interface BackendRefusal extends Refusal {
  readonly backend: Output["kind"];
  /** Name of the fan that has it. */
  readonly owner?: string;
}

export interface FanChoice extends Choice {
  readonly fan: Fan;
}

type IsFree = (output: Output) => boolean;

const attempts: Readonly<Record<Output["kind"], (fan: Fan, machine: Machine, isFree: IsFree) => Attempt>> = {
  hwmon: tryHwmon,
  pwm: tryPwm,
  gpio: tryGpio,
  pigpio: tryPigpio,
};

/** In the order of how well a fan is off when its daemon is dead. */
const preference: readonly Output["kind"][] = ["hwmon", "pwm", "gpio", "pigpio"];

/**
 * An output for each fan, in their order: the backend that the fan names, else the first that fits. No two fans get
 * what is one output, or one channel: a fan that does not say which it means gets what the others have left.
 */
export function chooseOutputs(fans: readonly Fan[], machine: Machine): readonly FanChoice[] {
  const owners = new Map<string, Fan>();
  const choices = new Map<Fan, Choice>();
  for (const fan of [...fans].sort((one, other) => vagueness(one) - vagueness(other))) {
    const choice = choose(fan, machine, owners);
    choices.set(fan, choice);
    if (choice.output !== null)
      for (const wire of wiresOf(choice.output, fan, machine)) owners.set(wire, fan);
  }
  return fans.map((fan) => ({ fan, ...(choices.get(fan) ?? choose(fan, machine, owners)) }));
}

/** An output for a fan that is the only one. */
export function chooseOutput(fan: Fan, machine: Machine): Choice {
  return choose(fan, machine, new Map());
}

/** Who says exactly what is meant comes first. */
function vagueness({ pin, chip, channel }: Fan): number {
  if (pin !== null) return 0;
  return chip === null ? (channel === null ? 4 : 3) : channel === null ? 2 : 1;
}

function choose(fan: Fan, machine: Machine, owners: ReadonlyMap<string, Fan>): Choice {
  const refusals: BackendRefusal[] = [];
  const ownerOf = (output: Output) =>
    wiresOf(output, fan, machine)
      .map((wire) => owners.get(wire))
      .find((owner) => owner !== undefined);
  for (const backend of fan.backend === "auto" ? preference : [fan.backend]) {
    const attempt = attempts[backend](fan, machine, (output) => ownerOf(output) === undefined);
    if (!attempt.fits) {
      refusals.push({ ...attempt, backend });
      continue;
    }
    const owner = ownerOf(attempt.output);
    if (owner === undefined) return { output: attempt.output, warnings: attempt.warnings, refusals };
    refusals.push({ ...taken(attempt.output, owner), backend, owner: owner.name });
  }
  return { output: null, warnings: [], refusals };
}

function taken(output: Output, owner: Fan): Refusal {
  return refuse(
    `${describeOutput(output)} is that of fan ${owner.name}`,
    "give each fan an output of its own: pin, or chip and channel",
  );
}
