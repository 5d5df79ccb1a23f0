import type { MachineKind, Milestone } from "./boot-request.ts";

/** What a line of the console means. */
export type ConsoleSign =
  | { readonly sign: "milestone"; readonly milestone: Milestone }
  /** The boot cannot go on. */
  | { readonly sign: "failure"; readonly failure: BootFailure }
  /** The boot goes on, but not as it should. */
  | { readonly sign: "slow-card" };

export type BootFailure = "panic" | "no-root" | "initramfs-shell" | "emergency" | "power-off";

const milestonePatterns: readonly (readonly [RegExp, Milestone])[] = [
  [/\bBooting Linux on physical CPU|\] Linux version \d/, "kernel"],
  [/EXT4-fs \([a-z0-9]+\): mounted filesystem/, "root"],
  [/systemd\[1\]: systemd \S+ running in system mode|^Welcome to .*!$/, "systemd"],
  [/^\S+ login: ?$/, "login"],
];

const failurePatterns: readonly (readonly [RegExp, BootFailure])[] = [
  [/VFS: Unable to mount root fs|VFS: Cannot open root device/, "no-root"],
  [/Kernel panic - not syncing/, "panic"],
  [
    /^\(initramfs\) ?$|Dropping to a shell!|You are now being dropped into an emergency shell/,
    "initramfs-shell",
  ],
  [
    /You are in (emergency|rescue) mode|Give root password for maintenance|Press Enter for maintenance|Entering emergency mode/,
    "emergency",
  ],
  [/reboot: (Power down|System halted|Restarting system)/, "power-off"],
];

const slowCardPattern =
  /mmc\d: Timeout waiting for hardware interrupt|I\/O error, dev mmcblk\d|mmcblk\d: (error|recovery failed)/;

/** Reads one line of the console, or the unfinished last one (a prompt); null: it means nothing to a boot. */
export function readConsoleLine(line: string): ConsoleSign | null {
  for (const [pattern, failure] of failurePatterns) {
    if (pattern.test(line)) return { sign: "failure", failure };
  }
  for (const [pattern, milestone] of milestonePatterns) {
    if (pattern.test(line)) return { sign: "milestone", milestone };
  }
  return slowCardPattern.test(line) ? { sign: "slow-card" } : null;
}

/** A failure in words: what happened, and what to do about it. */
export function describeFailure(
  failure: BootFailure,
  machine: MachineKind,
): readonly [what: string, hint: string] {
  const drivers = machine === "virt" ? "virtio_blk and virtio_pci" : "bcm2835 and sdhci-iproc";
  switch (failure) {
    case "no-root":
      return [
        "the kernel found no root file system",
        `check root= in cmdline.txt, and that the kernel or its initramfs has ${drivers}; or boot it on ${machine === "virt" ? "raspi3b" : "virt"}`,
      ];
    case "panic":
      return ["the kernel panicked", "the lines before the panic tell why; --interactive shows all of them"];
    case "initramfs-shell":
      return [
        "the initramfs found no root file system and started a shell",
        `check root= in cmdline.txt, and that the initramfs has ${drivers}`,
      ];
    case "emergency":
      return ["systemd fell back to emergency mode", "most often an entry of /etc/fstab cannot be mounted"];
    case "power-off":
      return ["the system shut down before it had reported", "the last lines of the console tell why"];
  }
}

/** A console line as people read it: without colours, cursor movements and other control characters. */
export function plainText(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(
    /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_78=>c]|[\u0000-\u0008\u000b-\u001f\u007f]/g,
    "",
  );
}
