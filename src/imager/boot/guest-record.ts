import { chunkLength, reportMark, reportUnitName } from "./report-unit.ts";

/** What the booted system said of itself. */
export interface GuestRecord {
  /** As `systemctl is-system-running` says: running, degraded, starting, … */
  readonly systemState: string;
  readonly hostName: string;
  readonly osName: string;
  readonly kernelRelease: string;
  readonly machineId: string;
  /** As the device tree names the board. */
  readonly model: string;
  /** From the kernel's start to multi-user.target, by the guest's clock; null: not reached. */
  readonly multiUserSeconds: number | null;
  readonly rootDevice: string;
  readonly rootSizeBytes: number;
  readonly rootFreeBytes: number;
  /** What /usr/bin/berry --version printed; null: the image has no berry. */
  readonly berryVersion: string | null;
  /** Whether there is a /bin/login, without which nobody can log in at the console. */
  readonly consoleLogin: boolean;
  /** Of global scope, such as `eth0` and `10.0.2.15/24`. */
  readonly addresses: readonly { readonly interface: string; readonly address: string }[];
  readonly services: readonly ServiceState[];
  readonly failedUnits: readonly FailedUnit[];
  /** Jobs that systemd had not finished when the report was made. */
  readonly pendingJobs: readonly string[];
}

export interface ServiceState {
  readonly unit: string;
  /** ActiveState, such as `active`. */
  readonly active: string;
  /** SubState, such as `running`. */
  readonly sub: string;
}

export interface FailedUnit {
  readonly unit: string;
  /** The last lines of its journal. */
  readonly log: readonly string[];
}

/** Puts the report together from console lines, in whatever order and however often its lines come. */
export interface ReportCollector {
  /** The decoded document, once every line of it has been seen whole; null before. */
  add(line: string): string | null;
}

const pattern = new RegExp(`(?:^|\\s)${reportMark} (\\d{1,4}) (\\d{1,4}) (\\d{1,3}) ([A-Za-z0-9+/=]+)$`);

/** A line that something else broke into is dropped: its copy in a later pass will do. */
export function reportCollector(): ReportCollector {
  const chunks = new Map<number, string>();
  return {
    add(line) {
      const [, index, count, length, chunk] = pattern.exec(line) ?? [];
      if (chunk === undefined || Number(length) !== chunk.length || chunk.length > chunkLength) return null;
      if (Number(index) < 1 || Number(index) > Number(count)) return null;
      chunks.set(Number(index), chunk);
      if (chunks.size < Number(count)) return null;
      const whole = Array.from(
        { length: Number(count) },
        (_, position) => chunks.get(position + 1) ?? "",
      ).join("");
      return new TextDecoder().decode(Uint8Array.fromBase64(whole));
    },
  };
}

/** Reads the document's `key TAB value` lines. A key that is missing leaves an empty value. */
export function readGuestRecord(document: string): GuestRecord {
  const values = new Map<string, string[]>();
  for (const line of document.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab === -1) continue;
    const key = line.slice(0, tab);
    values.set(key, [...(values.get(key) ?? []), line.slice(tab + 1)]);
  }
  const all = (key: string): readonly string[] => values.get(key) ?? [];
  const one = (key: string): string => all(key)[0] ?? "";
  const microseconds = Number(one("multi_user_microseconds"));
  return {
    systemState: one("system_state"),
    hostName: one("host_name"),
    osName: one("os_name"),
    kernelRelease: one("kernel_release"),
    machineId: one("machine_id"),
    model: one("model"),
    multiUserSeconds: microseconds > 0 ? microseconds / 1e6 : null,
    rootDevice: one("root_device"),
    rootSizeBytes: Number(one("root_size_kib")) * 1024,
    rootFreeBytes: Number(one("root_free_kib")) * 1024,
    berryVersion: values.has("berry_version") ? one("berry_version") : null,
    consoleLogin: one("console_login") === "yes",
    addresses: all("address").map((value) => {
      const [name, address] = splitOnce(value);
      return { interface: name, address };
    }),
    services: readServices(all("unit")),
    failedUnits: all("failed_unit").map((unit) => ({
      unit,
      log: all("failed_log")
        .map((line) => splitOnce(line))
        .filter(([name]) => name === unit)
        .map(([, line]) => line),
    })),
    pendingJobs: all("pending_job").filter((unit) => unit !== reportUnitName),
  };
}

/** `systemctl show` of several units: blocks of `Key=value`, an empty line between them. */
function readServices(lines: readonly string[]): readonly ServiceState[] {
  const services = new Map<string, ServiceState>();
  for (const block of lines.join("\n").split("\n\n")) {
    const properties = new Map(block.split("\n").map((line) => splitOnce(line, "=")));
    const unit = properties.get("Id");
    if (unit === undefined || unit === reportUnitName || properties.get("LoadState") !== "loaded") continue;
    services.set(unit, {
      unit,
      active: properties.get("ActiveState") ?? "",
      sub: properties.get("SubState") ?? "",
    });
  }
  return [...services.values()];
}

function splitOnce(text: string, separator = " "): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
