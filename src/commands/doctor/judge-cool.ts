import { diagnose, canCool } from "../../fand/doctor/diagnose.ts";
import type { DoctorFacts } from "../../fand/doctor/facts.ts";
import type { Finding as FanFinding } from "../../fand/doctor/finding.ts";
import { remedyOf } from "../fand/tell-doctor.ts";
import { type Finding, missing, partly, ready, type Report } from "./finding.ts";

/** Whether the fans of this board are driven, as `berry fand doctor` says it. Pure. */
export function judgeCool(facts: DoctorFacts): Report {
  const { model } = facts.machine;
  if (!canCool(facts))
    return {
      role: "cool",
      level: "not here",
      what: model === null ? "not a Raspberry Pi" : `not a Raspberry Pi: ${model}`,
      findings: [],
    };
  const findings = diagnose(facts).map(findingOf);
  const problems = findings.filter(({ level }) => level === "missing").length;
  const hints = findings.filter(({ level }) => level === "partly").length;
  const count = (number: number, rest: string) =>
    `${number === 1 ? "one thing" : `${number} things`} ${rest}`;
  return {
    role: "cool",
    level: problems > 0 ? "missing" : hints > 0 ? "partly" : "ready",
    what:
      problems > 0
        ? count(problems, problems === 1 ? "is missing" : "are missing")
        : hints > 0
          ? `nothing is missing; ${count(hints, "could be better")}`
          : "nothing is missing",
    findings,
  };
}

function findingOf(finding: FanFinding): Finding {
  switch (finding.severity) {
    case "ok":
      return ready(finding.what);
    case "warning":
      return partly(finding.what, remedyOf(finding));
    case "problem":
      return missing(finding.what, remedyOf(finding));
  }
}
