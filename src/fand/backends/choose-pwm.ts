import type { Fan } from "../config/settings.ts";
import { type Attempt, refuse } from "./attempt.ts";
import { type Machine, pwmFunctions } from "./machine.ts";

/** Above what people hear, and what fans with four wires are made for (Intel, 4-Wire PWM Controlled Fans, 2.1.4). */
const defaultFrequencyHz = 25_000;
const defaultRange = 1000;

/** A PWM channel of the header, or of the Pi 5's fan connector: it goes on when berry dies. */
export function tryPwm(fan: Fan, machine: Machine): Attempt {
  const { board } = machine;
  if (board === null) return refuse("not a Raspberry Pi that berry knows: no PWM address", null);
  const place = placeOf(fan, machine);
  if (place === null)
    return refuse(
      fan.pin === null
        ? "no pin is named, and the board has no fan connector"
        : `GPIO ${fan.pin} has no PWM in hardware`,
      `use one of ${[...board.channels.keys()].join(", ")}`,
    );
  const owner = machine.hwmon.find(({ drives }) => drives === (fan.pin ?? "connector"));
  if (owner !== undefined)
    return refuse(`the kernel's fan driver has it: hwmon chip ${owner.name}`, 'use backend = "hwmon"');
  const chip = machine.pwm.find(({ address }) => address === place.address);
  const overlay = overlayFor(fan);
  if (chip === undefined) return refuse(`no PWM controller at ${place.address}`, overlay);
  if (fan.pin !== null && chip.pins !== null && !chip.pins.includes(fan.pin))
    return refuse(
      `the PWM controller at ${place.address} is wired to ${chip.pins.map((pin) => `GPIO ${pin}`).join(", ") || "no pin"}, not to GPIO ${fan.pin}`,
      overlay,
    );
  if (place.channel >= chip.channelCount)
    return refuse(
      `${chip.path} has ${chip.channelCount} channels, and GPIO ${fan.pin} is channel ${place.channel}`,
      null,
    );
  if (!chip.isWritable) return refuse(`${chip.path} may not be written to`, "run it as root");
  const periodNanoseconds = Math.round(1e9 / (fan.frequencyHz ?? defaultFrequencyHz));
  return {
    fits: true,
    output: {
      kind: "pwm",
      chip: chip.path,
      channel: place.channel,
      periodNanoseconds,
      // a duty that is no whole number of nanoseconds would not read back as it was written
      range: Math.min(fan.range ?? defaultRange, periodNanoseconds),
      isInverted: fan.isInverted !== chip.inversedChannels.includes(place.channel),
    },
    warnings:
      chip.pins === null && fan.pin !== null
        ? [
            {
              message: `whether GPIO ${fan.pin} carries the PWM is not known`,
              hint: `${overlay ?? "see its pin function"}; pinctrl get ${fan.pin} shows the pin's function`,
            },
          ]
        : [],
  };
}

function placeOf(
  fan: Fan,
  { board }: Machine,
): { readonly address: string; readonly channel: number } | null {
  if (board === null) return null;
  if (fan.pin === null)
    return board.connector === null
      ? null
      : { address: board.connector.pwmAddress, channel: board.connector.channel };
  const channel = board.channels.get(fan.pin);
  return channel === undefined ? null : { address: board.pwmAddress, channel };
}

function overlayFor({ pin }: Fan): string | null {
  if (pin === null) return null;
  const func = pwmFunctions.get(pin);
  return func === undefined
    ? `no overlay routes it there: use one of ${[...pwmFunctions.keys()].join(", ")}`
    : `dtoverlay=pwm,pin=${pin},func=${func} in config.txt, then reboot`;
}
