import type { BootRequest, MachineKind, Milestone } from "./boot-request.ts";
import type { FailedUnit, GuestRecord } from "./guest-record.ts";
import type { LoginResult, NodeExporterResult } from "./reachability.ts";

/** What came up, as plain data. */
export interface BootReport {
  readonly ok: boolean;
  /** Why not ok; empty when ok. */
  readonly reasons: readonly string[];
  /** What could not be judged on an emulated machine. */
  readonly notes: readonly string[];
  readonly image: string;
  readonly machine: MachineKind;
  /** From the start of QEMU; a milestone that was not seen is missing. */
  readonly seconds: Readonly<Partial<Record<Milestone, number>>>;
  readonly guest: GuestRecord;
  readonly ssh: {
    /** The server's first line, such as `SSH-2.0-OpenSSH_10.0`; null: no server answered. */
    readonly banner: string | null;
    readonly login: LoginResult;
  };
  readonly nodeExporter: NodeExporterResult;
}

/** Units that need what no emulated machine has: their failure says nothing about the image. */
const hardwareUnits = new Map([["wpa_supplicant@wlan0.service", "no wireless interface is emulated"]]);

const fandUnit = "berry-fand.service";
const monitorUnits = ["prometheus.service", "berry-targets.service"];
const noOverlay = "no firmware has applied the fan's device-tree overlay";

export const nodeExporterUnit = "prometheus-node-exporter.service";

/** Judges a boot: every reason why the image would disappoint its owner, and what emulation left open. */
export function judgeBoot(
  facts: Omit<BootReport, "ok" | "reasons" | "notes">,
  {
    expectedHostName,
    reachable,
    hasFan,
    isMonitor,
  }: Pick<BootRequest, "expectedHostName" | "reachable" | "hasFan" | "isMonitor">,
): BootReport {
  const { guest, ssh, nodeExporter } = facts;
  const excuse = (unit: string) =>
    hardwareUnits.get(unit) ?? (hasFan && unit === fandUnit ? noOverlay : undefined);
  const failed = guest.failedUnits.filter(({ unit }) => excuse(unit) === undefined);
  const excused = guest.failedUnits.flatMap(({ unit }) => {
    const why = excuse(unit);
    return why === undefined ? [] : [`${unit} failed: ${why}`];
  });
  const idle = idleDaemon(guest, fandUnit);
  const reasons = [
    ...(expectedHostName === null || guest.hostName === expectedHostName
      ? []
      : [`host name is ${guest.hostName}, expected ${expectedHostName}`]),
    ...failed.map(describeFailedUnit),
    ...(idle === null || hasFan ? [] : [idle]),
    ...(isMonitor ? monitorUnits.flatMap((unit) => missingDaemon(guest, unit) ?? []) : []),
    ...(guest.systemState === "starting" || guest.systemState === "initializing"
      ? [`systemd did not finish the boot; pending: ${guest.pendingJobs.join(" ") || "nothing"}`]
      : []),
    ...(/^[0-9a-f]{32}$/.test(guest.machineId) ? [] : [`machine-id is ${guest.machineId || "empty"}`]),
    ...(guest.addresses.length > 0 ? [] : ["no interface has an address"]),
    ...(guest.consoleLogin ? [] : ["nobody can log in at the console: the image has no /bin/login"]),
    ...(ssh.banner === null && reachable ? ["no SSH server answered on port 22"] : []),
    ...(ssh.login.state === "refused" ? [`login by public key was refused: ${ssh.login.detail}`] : []),
    ...(reachable && nodeExporter.state === "silent" && isActive(guest, nodeExporterUnit)
      ? ["node_exporter runs, but did not answer on port 9100"]
      : []),
  ];
  const notes = [
    ...excused,
    ...(idle === null || !hasFan ? [] : [`${idle}: ${noOverlay}`]),
    ...(reachable
      ? []
      : ["its static address is not of the emulated network: neither SSH nor node_exporter was tried"]),
    ...(ssh.login.state === "not tried" ? [`login by public key was not tried: ${ssh.login.detail}`] : []),
  ];
  return { ok: reasons.length === 0, reasons, notes, ...facts };
}

export function isActive(guest: GuestRecord, unit: string): boolean {
  return guest.services.some((service) => service.unit === unit && service.active === "active");
}

/** What is started again for ever never counts as failed. */
function idleDaemon({ services, failedUnits }: GuestRecord, name: string): string | null {
  const daemon = services.find(({ unit }) => unit === name);
  if (daemon === undefined || daemon.active === "active") return null;
  if (failedUnits.some(({ unit }) => unit === name)) return null;
  return `${name} does not run, but is ${daemon.active} (${daemon.sub})`;
}

function missingDaemon(guest: GuestRecord, name: string): string | null {
  return guest.services.some(({ unit }) => unit === name)
    ? idleDaemon(guest, name)
    : `${name} is not in the image`;
}

/** The unit's own last words tell more than what systemd says of it. */
function describeFailedUnit({ unit, log }: FailedUnit): string {
  const bySystemd = (line: string): boolean =>
    line.startsWith(`${unit}: `) || /^(Starting|Started|Stopping|Stopped|Failed to start) /.test(line);
  const last = log.findLast((line) => line.trim() !== "" && !bySystemd(line)) ?? log.at(-1);
  return last === undefined ? `${unit} failed` : `${unit} failed: ${last.trim()}`;
}
