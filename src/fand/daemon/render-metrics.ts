import type { Percent } from "../units.ts";
import type { Posts } from "./round.ts";
import type { Throttling } from "./throttled.ts";

export interface MetricsFacts {
  readonly version: string;
  readonly intervalSeconds: number;
  /** Of the last whole round, since the epoch; null: there was none yet. */
  readonly updatedSeconds: number | null;
  /** When the machine was started, since the epoch: what is set by hand ends by a clock that begins there. */
  readonly bootedAtSeconds: number;
  /** null: the kernel does not say. */
  readonly throttling: readonly Throttling[] | null;
}

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

/** The state as Prometheus' text format has it (Exposition formats, 0.0.4). A temperature in doubt is not there. */
export function renderMetrics(posts: Posts, facts: MetricsFacts): string {
  const fans = posts.fans.map((post) => ({ ...post, labels: `{fan="${post.fan.name}"}` }));
  const throttling = facts.throttling ?? [];
  const families: readonly Family[] = [
    {
      name: "berry_cpu_temperature_celsius",
      type: "gauge",
      help: "Temperature by sensor; a sensor in doubt has none.",
      samples: posts.sensors.flatMap(({ settings, temperature }) =>
        temperature === null ? [] : [[`{sensor="${settings.name}"}`, temperature] as const],
      ),
    },
    {
      name: "berry_sensor_in_doubt",
      type: "gauge",
      help: "1 where a sensor is not believed, and its fans run at full speed.",
      samples: posts.sensors.map(({ settings, doubt }) => [
        `{sensor="${settings.name}"}`,
        doubt === null ? 0 : 1,
      ]),
    },
    {
      name: "berry_fan_temperature_celsius",
      type: "gauge",
      help: "Temperature that the fan follows, the hottest of its sensors; in doubt there is none.",
      samples: fans.flatMap(({ labels, temperature }) =>
        temperature === null ? [] : [[labels, temperature] as const],
      ),
    },
    {
      name: "berry_fan_duty_ratio",
      type: "gauge",
      help: "Duty of the fan as its driver reads back, 0 to 1.",
      samples: fans.map(({ labels, duty }) => [labels, ratio(duty)]),
    },
    {
      name: "berry_fan_rule_duty_ratio",
      type: "gauge",
      help: "Duty that the rule of the fan asks for, 0 to 1, whatever is set by hand.",
      samples: fans.map(({ labels, ruled }) => [labels, ratio(ruled)]),
    },
    {
      name: "berry_fan_minimum_duty_ratio",
      type: "gauge",
      help: "The lowest duty that the fan turns at, 0 to 1.",
      samples: fans.map(({ labels, fan }) => [labels, ratio(fan.control.minimumDuty)]),
    },
    {
      name: "berry_fan_override_duty_ratio",
      type: "gauge",
      help: "Duty that is set by hand, 0 to 1; nothing where none is.",
      samples: fans.flatMap(({ labels, override }) =>
        override === null ? [] : [[labels, ratio(override.duty)] as const],
      ),
    },
    {
      name: "berry_fan_override_end_timestamp_seconds",
      type: "gauge",
      help: "When that which is set by hand ends; nothing where nothing is.",
      samples: fans.flatMap(({ labels, override }) =>
        override === null
          ? []
          : [[labels, Math.round(facts.bootedAtSeconds + override.untilSeconds)] as const],
      ),
    },
    {
      name: "berry_fan_override_limit_celsius",
      type: "gauge",
      help: "Above it a fan never gets less than its rule asks for.",
      samples: fans.length === 0 ? [] : [["", posts.overrideLimit]],
    },
    {
      name: "berry_fan_speed_rpm",
      type: "gauge",
      help: "Turns a minute, where the driver counts them.",
      samples: fans.flatMap(({ labels, rpm }) => (rpm === null ? [] : [[labels, rpm] as const])),
    },
    {
      name: "berry_fan_stalled",
      type: "gauge",
      help: "1 where the fan is told to turn and does not.",
      samples: fans.flatMap(({ labels, rpm, turning }) =>
        rpm === null ? [] : [[labels, Number(turning.isStalled)] as const],
      ),
    },
    {
      name: "berry_fan_lost",
      type: "gauge",
      help: "1 while the fan does not follow what it is told.",
      samples: fans.map(({ labels, isLost }) => [labels, Number(isLost)]),
    },
    {
      name: "berry_fan_changes_total",
      type: "counter",
      help: "Changes of duty since the daemon started.",
      samples: fans.map(({ labels, changes }) => [labels, changes]),
    },
    {
      name: "berry_fan_errors_total",
      type: "counter",
      help: "Times that the fan did not follow since the daemon started.",
      samples: fans.map(({ labels, errors }) => [labels, errors]),
    },
    {
      name: "berry_throttled",
      type: "gauge",
      help: "1 while the firmware slows the Pi down, by reason.",
      samples: throttling.map(({ reason, isNow }) => [`{reason="${reason}"}`, Number(isNow)]),
    },
    {
      name: "berry_throttled_since_boot",
      type: "gauge",
      help: "1 where the firmware has slowed the Pi down since it was started, by reason.",
      samples: throttling.flatMap(({ reason, isSinceBoot }) =>
        isSinceBoot === null ? [] : [[`{reason="${reason}"}`, Number(isSinceBoot)] as const],
      ),
    },
    {
      name: "berry_fan_last_update_timestamp_seconds",
      type: "gauge",
      help: "Time of the last complete round.",
      samples: facts.updatedSeconds === null ? [] : [["", facts.updatedSeconds]],
    },
    {
      name: "berry_fan_interval_seconds",
      type: "gauge",
      help: "Time from round to round.",
      samples: [["", facts.intervalSeconds]],
    },
    {
      name: "berry_build_info",
      type: "gauge",
      help: "Version of berry.",
      samples: [[`{version="${facts.version.replaceAll(/["\\\n]/g, "")}"}`, 1]],
    },
  ];
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join("")}`,
    )
    .join("");
}

function ratio(duty: Percent): number {
  return Math.round(duty * 100) / 10_000;
}
