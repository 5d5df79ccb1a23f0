import type { FandMachine } from "./machine.ts";

const unit = "berry-fand.service";
const scriptlet = ". /var/lib/pacman/local/berry-*/install";
const announced = "/etc/avahi/services/berry.service";
const targets = "/run/berry-targets/nodes.json";

/** What was said at each stage. */
export interface PackageLife {
  readonly boot: string;
  readonly announced: string;
  readonly targets: string;
  readonly upgrade: string;
  readonly removal: string;
}

/**
 * The units of the package on a Pi that has the fan daemon enabled when it starts: the others are enabled, and what pacman
 * runs at an upgrade and at the removal is run. @param watch a command that waits until the fan has a speed, in percent
 */
export async function livePackage(on: FandMachine, watch: (speed: number) => string): Promise<PackageLife> {
  const boot = await on.run(
    `systemctl is-system-running --wait >/dev/null || true; systemctl is-enabled ${unit}; systemctl is-active ${unit}; ${watch(0)} >/dev/null && echo cools`,
  );
  // the folder is avahi's, which is not here
  await on.run(
    "mkdir -p /etc/avahi/services; systemctl enable --now berry-announce.service berry-targets.service",
  );
  const told = await on.run(`cat ${announced}`);
  const nodes = await on.run(
    `for i in 1 2 3 4 5 6 7 8 9; do test -s ${targets} && break; sleep 1; done; cat ${targets}`,
  );
  const newer = `/run/systemd/system/${unit}.d`;
  const upgrade = await on.run(
    [
      `before=$(systemctl show -P MainPID ${unit})`,
      `mkdir -p ${newer}; printf '[Unit]\\nDescription=newer\\n' >${newer}/newer.conf`,
      `(${scriptlet}; post_upgrade)`,
      `[ "$before" = "$(systemctl show -P MainPID ${unit})" ] || echo replaced`,
      `systemctl show -P Description ${unit}; ${watch(0)} >/dev/null && echo cools`,
    ].join("\n"),
  );
  const removal = await on.run(
    [
      `(${scriptlet}; pre_remove)`,
      `${watch(100)} >/dev/null && echo full speed; ls ${announced} 2>/dev/null`,
      `systemctl is-enabled berry-fand berry-announce berry-targets; systemctl is-active ${unit} || true`,
    ].join("\n"),
  );
  return { boot, announced: told, targets: nodes, upgrade, removal };
}
