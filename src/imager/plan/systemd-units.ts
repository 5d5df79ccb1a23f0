import alerts from "../../../systemd/berry-alerts.yml" with { type: "text" };
import announce from "../../../systemd/berry-announce.service" with { type: "text" };
import fand from "../../../systemd/berry-fand.service" with { type: "text" };
import fandFailsafe from "../../../systemd/berry-fand-failsafe.sh" with { type: "text" };
import grow from "../../../systemd/berry-grow.service" with { type: "text" };
import growScript from "../../../systemd/berry-grow.sh" with { type: "text" };
import hostKeys from "../../../systemd/berry-host-keys.service" with { type: "text" };
import pacmanKey from "../../../systemd/berry-pacman-key.service" with { type: "text" };
import prometheus from "../../../systemd/berry-prometheus.yml" with { type: "text" };
import targets from "../../../systemd/berry-targets.service" with { type: "text" };

/** What a node does once, on its first boot: files of systemd/, by name. */
export const firstBootUnits = {
  "berry-grow.service": grow,
  "berry-host-keys.service": hostKeys,
  "berry-pacman-key.service": pacmanKey,
} as const;

/** The fan daemon, for images that have berry. */
export const fandUnit = { name: "berry-fand.service", content: fand } as const;

/** Tells avahi what the node is, on every boot. */
export const announceUnit = { name: "berry-announce.service", content: announce } as const;

/** Tells the Prometheus of a monitor which nodes there are. */
export const targetsUnit = { name: "berry-targets.service", content: targets } as const;

/** The configuration of a monitor's Prometheus; it names the alerts as berry-alerts.yml, beside itself. */
export const prometheusConfiguration: string = prometheus;
export const prometheusAlerts: string = alerts;

/** Installed as /usr/lib/berry/fand-failsafe. */
export const fandFailsafeProgram: string = fandFailsafe;

/** Installed as /usr/lib/berry/grow. */
export const growProgram: string = growScript;
