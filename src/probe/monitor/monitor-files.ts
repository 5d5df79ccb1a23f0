import alerts from "../../../systemd/berry-alerts.yml" with { type: "text" };
import prometheus from "../../../systemd/berry-prometheus.yml" with { type: "text" };
import targetsUnit from "../../../systemd/berry-targets.service" with { type: "text" };

export interface MonitorFile {
  readonly name: string;
  readonly text: string;
  /** What it is for, as a list shows it. */
  readonly purpose: string;
}

/** Where the unit has berry write the nodes, and Prometheus look for them. */
export const targetsPath = "/run/berry-targets/nodes.json";

/** What a Prometheus needs that watches the nodes; the names refer to each other. */
export const monitorFiles: readonly MonitorFile[] = [
  {
    name: "prometheus.yml",
    text: prometheus,
    purpose: "a whole configuration, or what to copy into your own: rule_files and scrape_configs",
  },
  { name: "berry-alerts.yml", text: alerts, purpose: "alerts, to lie beside the configuration" },
  { name: "berry-targets.service", text: targetsUnit, purpose: `keeps ${targetsPath} up to date` },
];

/** What is left to do, line by line, as shell; comments say why. */
export function remainingSteps(folder: string, ownProgram: string | null): readonly string[] {
  const quoted = quote(folder);
  return [
    ...(ownProgram === null || ownProgram === "/usr/bin/berry"
      ? []
      : [`sudo install -m 755 ${quote(ownProgram)} /usr/bin/berry`]),
    `# the list of nodes, by: berry probe --watch -o prom-sd --write ${targetsPath}`,
    `sudo install -m 644 ${quoted}/berry-targets.service /etc/systemd/system/`,
    "sudo systemctl daemon-reload",
    "sudo systemctl enable --now berry-targets.service",
    `# rule_files and scrape_configs of ${folder}/prometheus.yml go into /etc/prometheus/prometheus.yml`,
    `sudo install -m 644 ${quoted}/berry-alerts.yml /etc/prometheus/`,
    "promtool check config /etc/prometheus/prometheus.yml && sudo systemctl reload prometheus",
  ];
}

function quote(word: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
