/**
 * The collectors of node_exporter whose metrics `collectHealth` reads: a tenth of its page, in a tenth of the time on a
 * Pi 3. A node_exporter that lacks one of them, or has it disabled, refuses them all with status 400.
 */
export const healthCollectors = [
  "cpu",
  "filesystem",
  "hwmon",
  "loadavg",
  "meminfo",
  "stat",
  "textfile",
  "thermal_zone",
  "time",
  "timex",
  "uname",
] as const;

/** It asks systemd for each unit, which takes a second or two on a Pi 3; Debian has it enabled, others have not. */
export const unitCollectors = ["systemd"] as const;

/**
 * The path of a page of these collectors alone, as node_exporter filters it (its README, "Filtering enabled
 * collectors"); of none: of the whole page.
 */
export function pagePath(collectors: readonly string[]): string {
  const query = new URLSearchParams(collectors.map((name): [string, string] => ["collect[]", name]));
  return collectors.length === 0 ? "/metrics" : `/metrics?${query.toString()}`;
}
