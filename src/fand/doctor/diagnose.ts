import { chooseOutput } from "../backends/choose-output.ts";
import type { InspectedSensor } from "../inspect-file.ts";
import type { ConfigurationFacts, DoctorFacts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { judgeFan } from "./judge-fan.ts";
import { judgeNeighbours } from "./judge-neighbours.ts";
import { judgeService } from "./judge-service.ts";

/** Everything that is well, could be better, or is missing, in the order in which it is best mended. */
export function diagnose(facts: DoctorFacts): readonly Finding[] {
  const { machine, configuration } = facts;
  if (!canCool(facts))
    return [
      problem(
        "unavailable",
        `not a Raspberry Pi${machine.model === null ? ", as there is no device tree" : `: ${machine.model}`}: there is nothing to do here`,
        "run it on the Pi whose fan it is about",
      ),
    ];
  const fans = configuration.settings?.fans ?? [];
  return [
    ...judgeMachine(facts),
    ...judgeConfiguration(configuration),
    ...facts.sensors.flatMap((sensor) => [
      judgeSensor(sensor),
      ...sensor.warnings.map(({ message, hint }) => warning(`sensor ${sensor.name}: ${message}`, hint)),
    ]),
    ...fans.flatMap((fan) => judgeFan(fan, fans, facts)),
    ...(configuration.settings !== null && fans.length === 0
      ? [ok("no fan is configured: temperatures are reported, and nothing is driven")]
      : []),
    ...judgeService(facts),
    ...judgeNeighbours(facts),
  ];
}

/** Whether there may be a fan to drive here: on a Raspberry Pi, or on another board with a fan that its kernel knows. */
export function canCool(facts: DoctorFacts): boolean {
  const { board, model } = facts.machine;
  return board !== null || model?.startsWith("Raspberry Pi") === true || drivesAnything(facts);
}

function drivesAnything({ configuration, machine }: DoctorFacts): boolean {
  const fans = configuration.file === null ? [] : (configuration.settings?.fans ?? []);
  return fans.some((fan) => chooseOutput(fan, machine).output !== null);
}

function judgeMachine({ machine, isRoot }: DoctorFacts): readonly Finding[] {
  const model = machine.model ?? "a machine without a device tree";
  return [
    machine.board === null
      ? warning(
          `${model}: berry does not know its PWM`,
          'name the chip that drives the fan: backend = "hwmon"',
        )
      : ok(model),
    ...(isRoot
      ? []
      : [
          warning(
            "not root: who has asked for a pin is not seen, and whether root may write to the outputs",
            "sudo berry fand doctor",
          ),
        ]),
  ];
}

function judgeConfiguration({ file, settings, problems, warnings }: ConfigurationFacts): readonly Finding[] {
  const about = warnings.map(({ message, hint }) => warning(message, hint));
  if (settings === null)
    return [...problems.map(({ kind, what, remedy }) => problem(kind, what, remedy)), ...about];
  return [
    file === null ? ok("no configuration: the defaults, for one fan") : ok(`${file} is valid`),
    ...about,
  ];
}

function judgeSensor({ name, source, temperature, doubt }: InspectedSensor): Finding {
  if (temperature !== null) return ok(`sensor ${name}: ${source}: ${temperature.toFixed(1)} °C`);
  const remedy =
    doubt?.kind === "missing"
      ? "correct its type, hwmon or file in the configuration, or load its driver; its fans run at full speed"
      : "look after it: its fans run at full speed as long as it is in doubt";
  return problem(
    "unavailable",
    `sensor ${name}: ${doubt?.kind ?? "no reading"}: ${doubt?.found ?? source}`,
    remedy,
  );
}
