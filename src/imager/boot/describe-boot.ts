import { formatBytes, formatSeconds } from "../../core/units.ts";
import type { BootEvent } from "./boot-request.ts";
import type { BootReport } from "./boot-report.ts";

/** A line of progress; null: the event is for --verbose alone. */
export function describeBootEvent(event: BootEvent): string | null {
  switch (event.event) {
    case "copied":
      return `image copied to an SD card of ${formatBytes(event.sizeBytes)}`;
    case "started": {
      const files = [event.kernel, event.initramfs, event.deviceTree].filter((file) => file !== null);
      return `firmware skipped: ${event.machine} started with ${files.join(", ")}; ssh at 127.0.0.1:${event.sshPort}`;
    }
    case "reached":
      return `${milestoneTitles[event.milestone]} after ${formatSeconds(event.seconds)}`;
    case "warned":
      return `${event.message}; ${event.hint}`;
    case "console":
      return null;
  }
}

const milestoneTitles = {
  kernel: "kernel started",
  root: "root file system mounted",
  systemd: "systemd reached",
  login: "login prompt",
  report: "report received",
} as const;

/** The report as rows of a table: what, and how it is. */
export function bootRows(report: BootReport): readonly (readonly [key: string, value: string])[] {
  const { guest, ssh, nodeExporter, seconds } = report;
  return [
    ["verdict", report.ok ? "ok" : "not ok"],
    ...report.reasons.map((reason) => ["problem", reason] as const),
    ...report.notes.map((note) => ["note", note] as const),
    ["machine", `${report.machine} (${guest.model || "no model"})`],
    ["host name", guest.hostName],
    ["system", `${guest.osName}, Linux ${guest.kernelRelease}`],
    ["systemd", guest.systemState],
    ["login prompt", seconds.login === undefined ? "not seen" : formatSeconds(seconds.login)],
    [
      "multi-user",
      guest.multiUserSeconds === null
        ? "not reached"
        : `${formatSeconds(guest.multiUserSeconds)} after the kernel's start`,
    ],
    [
      "root",
      `${guest.rootDevice}, ${formatBytes(guest.rootSizeBytes)}, ${formatBytes(guest.rootFreeBytes)} free`,
    ],
    ["addresses", guest.addresses.map((entry) => `${entry.interface} ${entry.address}`).join(", ") || "none"],
    ["machine-id", guest.machineId],
    ["berry", guest.berryVersion ?? "not in the image"],
    ["ssh", ssh.banner ?? "silent"],
    ["login by key", ssh.login.detail === "" ? ssh.login.state : `${ssh.login.state}: ${ssh.login.detail}`],
    [
      "node_exporter",
      nodeExporter.state === "answers" ? `answers with ${nodeExporter.samples} samples` : "silent",
    ],
    ...guest.services.map((service) => [service.unit, `${service.active} (${service.sub})`] as const),
  ];
}
