import type { Style } from "../../cli/style.ts";
import { printable } from "../../core/printable.ts";
import type { Finding } from "../../fand/doctor/finding.ts";

/** For people: a line for each finding, and below it what mends it. */
export function tellFindings(findings: readonly Finding[], style: Style): readonly string[] {
  return findings.flatMap((finding) => {
    const what = printable(finding.what);
    switch (finding.severity) {
      case "ok":
        return [`${style.green("ok")}       ${what}`];
      case "warning":
        return [`${style.yellow("warning")}  ${what}`, ...tellRemedy(finding)];
      case "problem":
        return [`${style.red("problem")}  ${what}`, ...tellRemedy(finding)];
    }
  });
}

function tellRemedy(finding: Exclude<Finding, { severity: "ok" }>): readonly string[] {
  return [`         → ${printable(remedyOf(finding))}`];
}

/** With the line of config.txt, where the remedy itself does not name it. */
export function remedyOf({ remedy, configLine }: Exclude<Finding, { severity: "ok" }>): string {
  const isNamed = configLine === null || remedy.includes(configLine);
  return isNamed ? remedy : `${remedy}; line of config.txt: ${configLine}`;
}
