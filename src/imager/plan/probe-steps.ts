import { stringify } from "smol-toml";
import type { Node } from "../../config/cluster.ts";
import { monitorRole } from "../../config/names.ts";
import { BerryError } from "../../core/errors.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { announceUnit, prometheusAlerts, prometheusConfiguration, targetsUnit } from "./systemd-units.ts";

type Prometheus = NonNullable<Target["prometheus"]>;

/** How much Prometheus keeps: whatever is reached first. A card has room for more. */
const retention = ["--storage.tsdb.retention.time=90d", "--storage.tsdb.retention.size=2GB"];

/** What `berry probe` needs on a node, and on a monitor what Prometheus needs to watch the others. */
export function probeSteps(node: Node, target: Target, { berry }: HostFacts, root: string): Step[] {
  if (berry === null) return [];
  const prometheus = prometheusOf(node, target);
  // its package brings them
  const unit = ({ name, content }: typeof announceUnit | typeof targetsUnit) =>
    berry.package === null ? [file(root, `install ${name}`, `/usr/lib/systemd/system/${name}`, content)] : [];
  return [
    ...unit(announceUnit),
    ...(prometheus === null
      ? []
      : [
          ...unit(targetsUnit),
          file(
            root,
            "tell Prometheus whom to watch",
            "/etc/prometheus/prometheus.yml",
            prometheusConfiguration,
          ),
          file(
            root,
            "tell Prometheus what is wrong with a node",
            "/etc/prometheus/berry-alerts.yml",
            prometheusAlerts,
          ),
          file(
            root,
            "tell Prometheus how much to keep",
            `/usr/lib/systemd/system/${prometheus.unit}.d/10-berry.conf`,
            prometheusDropIn(prometheus),
          ),
        ]),
  ];
}

/** Units of `berry probe` that start with a node. */
export function probeUnits(node: Node, target: Target, { berry }: HostFacts): string[] {
  if (berry === null) return [];
  const prometheus = prometheusOf(node, target);
  return [announceUnit.name, ...(prometheus === null ? [] : [targetsUnit.name, prometheus.unit])];
}

/** What the node is, for `berry probe announce`. */
export function roleSteps({ role }: Node, { berry }: HostFacts, root: string): Step[] {
  return berry === null
    ? []
    : [file(root, "note the role", "/etc/berry/node.toml", `${stringify({ role }).trimEnd()}\n`)];
}

/**
 * What a node has on top of the system, each package once.
 * @throws BerryError `config` for a monitor where the target has no Prometheus
 */
export function packagesOf(node: Node, target: Target): string[] {
  return [...new Set([...node.image.packages, ...(prometheusOf(node, target)?.packages ?? [])])];
}

/** null: the node is no monitor. */
function prometheusOf({ name, role }: Node, { name: target, prometheus }: Target): Prometheus | null {
  if (role !== monitorRole) return null;
  if (prometheus !== undefined) return prometheus;
  throw new BerryError("config", `${name}: the target ${target} does not say how Prometheus is installed`, {
    hint: "add [prometheus] with packages, unit and command to the target file, or give the node another role",
  });
}

/** The command is said anew: the package's own file of arguments stays the user's. */
function prometheusDropIn({ command }: Prometheus): string {
  return `# A flag that comes twice keeps Prometheus from starting. To keep more or less: systemctl edit prometheus
[Service]
ExecStart=
ExecStart=${[command, ...retention].join(" ")}
`;
}

function file(root: string, title: string, path: string, content: string): Step {
  return { title, do: "write", root, path, content, mode: 0o644, owner: "0:0" };
}
