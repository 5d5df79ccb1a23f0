import { chooseOutput } from "../backends/choose-output.ts";
import type { DoctorFacts } from "./facts.ts";
import { type Finding, problem, warning } from "./finding.ts";

/** Who else has a hand on the fans, and who should read what is told of them. */
export function judgeNeighbours(facts: DoctorFacts): readonly Finding[] {
  return [...facts.others.map((name) => judgeOther(name, facts)), ...judgeExporter(facts)];
}

function judgeOther(name: string, { configuration, machine }: DoctorFacts): Finding {
  if (name !== "pigpiod")
    return problem(
      "unavailable",
      `${name} runs, too: two programs that drive fans undo what the other does`,
      `sudo systemctl disable --now ${name}`,
    );
  const isNeeded = configuration.settings?.fans.some(
    (fan) => chooseOutput(fan, { ...machine, isRoot: true }).output?.kind === "pigpio",
  );
  const remedy = "sudo systemctl disable --now pigpiod";
  return isNeeded === true
    ? problem("unavailable", "pigpiod runs: libpigpio serves one program alone", remedy)
    : warning("pigpiod runs: whoever asks it may change the fan's pin", `${remedy}, where nothing needs it`);
}

function judgeExporter({ nodeExporter, runFolder }: DoctorFacts): readonly Finding[] {
  if (nodeExporter === null) return [];
  const { textfileFolders } = nodeExporter;
  if (textfileFolders.includes(runFolder)) return [];
  const reads =
    textfileFolders.length === 0 ? "names no textfile directory" : `has ${textfileFolders.join(", ")}`;
  return [
    warning(
      `node_exporter does not read the metrics in ${runFolder}: its command line ${reads}`,
      `--collector.textfile.directory=${runFolder} in /etc/default/prometheus-node-exporter (Arch: /etc/conf.d/prometheus-node-exporter), then restart it`,
    ),
  ];
}
