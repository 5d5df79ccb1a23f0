import type { DoctorFacts, ServiceFacts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

const unit = "berry-fand.service";
const log = "journalctl -u berry-fand -b says why";

/** Whether something starts the daemon, watches over it, and raises the fans when it is dead. */
export function judgeService({ service, failsafe, watchdog }: DoctorFacts): readonly Finding[] {
  const isInstalled = service.kind === "unit" && service.load !== "not-found";
  return [
    ...judgeUnit(service),
    ...(isInstalled && !failsafe.isExecutable
      ? [
          problem(
            "unavailable",
            `${failsafe.path} is not there: nobody raises the fans when the daemon is dead`,
            "install berry's package again, or bake the image again",
          ),
        ]
      : []),
    ...(watchdog.isThere && watchdog.isUsed === false
      ? [
          warning(
            "nobody feeds the hardware watchdog: when the kernel hangs, the fans keep the speed that they have",
            "RuntimeWatchdogSec=15 below [Manager] in /etc/systemd/system.conf, then sudo systemctl daemon-reexec",
          ),
        ]
      : []),
  ];
}

function judgeUnit(service: ServiceFacts): readonly Finding[] {
  switch (service.kind) {
    case "no-systemd":
      return [
        warning(
          "systemd does not run here: nothing starts the daemon, and nothing raises the fans when it is dead",
          "let your init start berry fand and, whenever it has ended, berry fand failsafe",
        ),
      ];
    case "silent":
      return [
        warning(`systemctl does not answer: whether ${unit} runs is not known`, `systemctl status ${unit}`),
      ];
    case "unit":
      return judgeStates(service);
  }
}

function judgeStates({ load, file, active }: ServiceFacts & { kind: "unit" }): readonly Finding[] {
  if (load === "not-found")
    return [
      problem(
        "unavailable",
        `${unit} is not installed: nothing starts the daemon`,
        "install berry's package, or bake the image with [fan] in berry.toml",
      ),
    ];
  if (load === "masked")
    return [problem("unavailable", `${unit} is masked`, `sudo systemctl unmask ${unit}, then enable --now`)];
  if (load !== "loaded")
    return [problem("unavailable", `${unit} is not loaded: ${load}`, `systemctl status ${unit}`)];
  const isEnabled = ["enabled", "enabled-runtime", "static", "linked", "generated"].includes(file);
  const findings = isEnabled
    ? []
    : [
        problem(
          "unavailable",
          `${unit} is not enabled: after the next boot nothing drives the fans`,
          `sudo systemctl enable --now ${unit}`,
        ),
      ];
  if (active === "active" || active === "reloading") return [...findings, ok(`${unit} runs`)];
  if (active === "activating")
    return [
      ...findings,
      problem("unavailable", `${unit} does not come up: it starts again and again, or still`, log),
    ];
  if (active === "failed") return [...findings, problem("unavailable", `${unit} has failed`, log)];
  return [
    ...findings,
    problem("unavailable", `${unit} does not run: ${active}`, `sudo systemctl start ${unit}`),
  ];
}
