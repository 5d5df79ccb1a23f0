import { chooseOutputs } from "../backends/choose-output.ts";
import type { Machine } from "../backends/machine.ts";
import { describeOutput, type Output } from "../backends/output.ts";
import type { Fan } from "../config/settings.ts";
import { bootLineOf, isPwmFunction, pinsOfOverlay } from "./boot-line.ts";
import { bootRemedy } from "./boot-remedy.ts";
import { overlaysOf } from "./config-txt.ts";
import { type DoctorFacts, ownConsumer } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What drives a fan, or what would have to be there so that something does. */
export function judgeFan(fan: Fan, fans: readonly Fan[], facts: DoctorFacts): readonly Finding[] {
  const machine = facts.isRoot ? facts.machine : asRoot(facts.machine);
  const chosen = chooseOutputs(fans, machine).find((one) => one.fan === fan);
  const { output = null, warnings = [], refusals = [] } = chosen ?? {};
  if (output === null) {
    const taken = refusals.find(({ owner }) => owner !== undefined);
    if (taken !== undefined) {
      const what = `fan ${fan.name}: nothing drives it: ${taken.backend}: ${taken.why}`;
      const sameChannel = judgeChannel(fan, fans, facts);
      return sameChannel.length > 0 ? sameChannel : [problem("config", what, taken.remedy ?? "")];
    }
    const why = refusals.map((refusal) => `${refusal.backend}: ${refusal.why}`).join("; ");
    const mends = remedyOf(fan, fans, facts, refusals.find(({ remedy }) => remedy !== null)?.remedy ?? null);
    return [
      problem("unavailable", `fan ${fan.name}: nothing drives it: ${why}`, mends.remedy, mends.line),
      ...judgePin(fan, null, facts),
    ];
  }
  return [
    ok(`fan ${fan.name}: ${output.kind}, ${describeOutput(output)}`),
    ...warnings.map(({ message, hint }) => warning(`fan ${fan.name}: ${message}`, hint, lineIn(hint))),
    ...judgePin(fan, output, facts),
    ...judgeRouting(fan, output, facts),
    ...judgeFrequency(fan, output),
    ...judgeSound(fan, output, facts),
  ];
}

function remedyOf(
  fan: Fan,
  fans: readonly Fan[],
  { machine, boot }: DoctorFacts,
  otherwise: string | null,
): { readonly remedy: string; readonly line: string | null } {
  if (fan.pin === null && machine.board?.connector === null) {
    const [pin = 18] = machine.board.channels.keys();
    return { remedy: `name the GPIO of the fan in /etc/berry/fand.toml, such as pin = ${pin}`, line: null };
  }
  const isKernels = machine.hwmon.some(({ drives }) => drives === (fan.pin ?? "connector"));
  const wanted = isKernels ? null : bootLineOf(fan, fans, machine.board);
  const drivers = {
    hasPwm: machine.pwm.some(({ address }) => address === machine.board?.pwmAddress),
    hasFan: machine.hwmon.some(({ outputs }) => outputs.length > 0),
  };
  if (wanted !== null) return bootRemedy(wanted, fan, boot, drivers);
  return { remedy: otherwise ?? "berry fand check says what there is", line: null };
}

/** What the daemon could do: it is root. */
function asRoot(machine: Machine): Machine {
  const writable = <Part>(part: Part): Part & { readonly isWritable: true } => ({
    ...part,
    isWritable: true,
  });
  return {
    ...machine,
    isRoot: true,
    hwmon: machine.hwmon.map((chip) => ({ ...chip, outputs: chip.outputs.map(writable) })),
    pwm: machine.pwm.map(writable),
    gpio: machine.gpio.map(writable),
  };
}

/** Somebody else's hand on the pin. */
function judgePin({ name, pin }: Fan, output: Output | null, { pins }: DoctorFacts): readonly Finding[] {
  const facts = pins.find((one) => one.pin === pin);
  if (facts === undefined || output?.kind === "hwmon") return [];
  const { consumer, device } = facts;
  // the script that raises fans holds it there, and the daemon takes it back
  const isHeld = consumer === "sysfs" && output?.kind === "gpio";
  if (consumer !== null && consumer !== ownConsumer && !isHeld)
    return [
      problem(
        "unavailable",
        `fan ${name}: GPIO ${pin} is taken: ${consumer} has asked for it`,
        "end that program or remove its overlay from config.txt, or connect the fan to another pin; gpioinfo lists them all",
      ),
    ];
  const isOwn = device === null || device.endsWith(".pwm");
  return isOwn
    ? []
    : [
        problem(
          "unavailable",
          `fan ${name}: GPIO ${pin} is taken: the kernel routes it to ${device}`,
          "remove what asks for it from config.txt, such as an overlay or a dtparam, or connect the fan to another pin",
        ),
      ];
}

/** A PWM that runs, and does not come out at the pin: `func` was left as it was for another pin. */
function judgeRouting({ name, pin }: Fan, output: Output, { boot }: DoctorFacts): readonly Finding[] {
  if (output.kind !== "pwm" || pin === null) return [];
  return overlaysOf(boot.configTxt?.lines ?? [])
    .filter(({ applies }) => applies !== false)
    .flatMap((line) => pinsOfOverlay(line).map((place) => ({ ...place, text: line.text })))
    .filter((place) => place.pin === pin && place.func !== null && isPwmFunction(pin, place.func) === false)
    .map(({ text, func }) =>
      problem(
        "unavailable",
        `fan ${name}: ${text} routes something else than the PWM to GPIO ${pin}: function ${func}`,
        `correct it in ${boot.configTxt?.path ?? "config.txt"}, then sudo reboot`,
        bootLineOf({ backend: "pwm", pin, mode: "pwm" }, [], null)?.line ?? null,
      ),
    );
}

function judgeChannel(
  { name, pin }: Fan,
  fans: readonly Fan[],
  { machine: { board } }: DoctorFacts,
): readonly Finding[] {
  if (pin === null || board === null || !board.channels.has(pin)) return [];
  const before = fans.slice(
    0,
    fans.findIndex((fan) => fan.name === name),
  );
  const twin = before.find(
    (fan) => fan.pin !== null && fan.pin !== pin && board.channels.get(fan.pin) === board.channels.get(pin),
  );
  return twin === undefined
    ? []
    : [
        problem(
          "config",
          `fan ${name}: GPIO ${pin} is the same PWM channel as GPIO ${twin.pin} of fan ${twin.name}`,
          "connect one of them to a pin of the other channel",
        ),
      ];
}

/** Of GPIOs that libpigpio drives by DMA: it has no faster one. */
const fastestByDma = 8000;
const hardwarePins = [12, 13, 18, 19];

function judgeFrequency(fan: Fan, output: Output): readonly Finding[] {
  if (fan.mode !== "pwm" || (output.kind !== "pwm" && output.kind !== "pigpio")) return [];
  const hertz = fan.frequencyHz;
  const what = (text: string) => `fan ${fan.name}: ${text}`;
  if (output.kind === "pigpio" && !hardwarePins.includes(output.pin))
    return (hertz ?? 25_000) > fastestByDma
      ? [
          warning(
            what(
              `GPIO ${output.pin} has no PWM in hardware: libpigpio drives it at ${fastestByDma} Hz at most`,
            ),
            `connect a fan with four wires to one of ${hardwarePins.join(", ")}`,
          ),
        ]
      : [];
  if (hertz === null || (hertz >= 20_000 && hertz <= 30_000)) return [];
  return [
    warning(
      what(
        `frequency = ${hertz}: fans with four wires want 25000${hertz > 100 && hertz < 20_000 ? ", and this whines" : ""}`,
      ),
      hertz <= 100
        ? "leave it as it is where a transistor switches the fan, as in the Argon mini; remove it otherwise"
        : "remove it; frequency = 50 where a transistor switches the fan, as in the Argon mini",
    ),
  ];
}

/** Before the Pi 4 the jack and the header had one PWM: what plays sound takes it over. */
function judgeSound(
  fan: Fan,
  output: Output,
  { machine: { board }, hasJack }: DoctorFacts,
): readonly Finding[] {
  const isShared = board?.name === "pi1" || board?.name === "pi2-3";
  const isPwm =
    output.kind === "pwm" ||
    (output.kind === "pigpio" && output.mode === "pwm" && hardwarePins.includes(output.pin));
  if (!isShared || !isPwm || !hasJack) return [];
  return [
    warning(
      `fan ${fan.name}: the jack's sound and the fan have one PWM: whatever plays there sets the fan's speed`,
      "switch the sound of the board off, or play it by HDMI or USB alone",
      "dtparam=audio=off",
    ),
  ];
}

/** The line of config.txt that a hint of the backends names. */
function lineIn(hint: string): string | null {
  return /\b(?:dtoverlay|dtparam)=\S+(?= in config\.txt)/.exec(hint)?.[0] ?? null;
}
