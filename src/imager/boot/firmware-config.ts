/** What the Pi's firmware would load, as config.txt says it; null: not said. Paths on the boot partition. */
export interface FirmwareConfig {
  readonly kernel: string | null;
  readonly initramfs: string | null;
  readonly deviceTree: string | null;
  /** Load the initramfs that is named after the kernel. */
  readonly autoInitramfs: boolean;
}

const sectionsOfPi3 = new Set(["all", "pi3"]);

/**
 * Reads config.txt as the firmware of a Raspberry Pi 3 does: the last setting of a key wins,
 * settings under another model's `[section]` do not count, os_prefix stands before every name.
 * Source: "config.txt", Raspberry Pi documentation, "Conditional filters" and "Boot options".
 */
export function readFirmwareConfig(text: string): FirmwareConfig {
  const values = new Map<string, string>();
  let applies = true;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/#.*$/, "").trim();
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      applies = sectionsOfPi3.has(section.toLowerCase());
      continue;
    }
    if (!applies) continue;
    const initramfs = /^initramfs\s+(\S+)/.exec(line)?.[1];
    if (initramfs !== undefined) values.set("initramfs", initramfs);
    const [, key, value] = /^([a-z0-9_]+)\s*=\s*(.*)$/i.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key.toLowerCase(), value);
  }
  const prefix = values.get("os_prefix") ?? "";
  const path = (key: string): string | null => {
    const value = values.get(key);
    return value === undefined || value === "" ? null : `${prefix}${value}`;
  };
  return {
    kernel: path("kernel"),
    initramfs: path("initramfs"),
    deviceTree: path("device_tree"),
    autoInitramfs: values.get("auto_initramfs") === "1",
  };
}

/** `kernel8.img` → `initramfs8`, as auto_initramfs=1 derives it; null: the kernel's name has no such form. */
export function automaticInitramfs(kernel: string): string | null {
  const match = /^(.*\/)?kernel([^/]*)\.img$/.exec(kernel);
  return match === null ? null : `${match[1] ?? ""}initramfs${match[2] ?? ""}`;
}
