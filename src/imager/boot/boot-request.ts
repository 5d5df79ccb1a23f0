import type { Clock, CommandRunner } from "../../core/ports.ts";

/**
 * raspi3b boots from an emulated SD card with the kernel's own bcm2835 drivers; virt has virtio
 * disks and network instead: it is faster and does not mind a busy host, but has none of the Pi's hardware.
 */
export type MachineKind = "raspi3b" | "virt";

/** What the target says about booting without the firmware; null: read it from config.txt. */
export interface Emulation {
  /** Path on the boot partition; `*` stands for any characters, and the highest version wins. */
  readonly kernel: string | null;
  readonly initramfs: string | null;
  readonly deviceTree: string | null;
  /** The serial console of raspi3b, such as `ttyS1,115200`. */
  readonly console: string | null;
  /** Words of the command line that raspi3b needs and a real Pi does not. */
  readonly cmdline: readonly string[];
}

export interface MachineRequest {
  /** Path of the baked image: an MBR, a FAT boot partition, an ext4 root partition. It is only read. */
  readonly image: string;
  readonly machine: MachineKind;
  readonly emulation: Emulation;
  /** Where a private folder for the working copy is made. It should hold the image once more. */
  readonly scratchDirectory: string;
  /** true: a unit that reports on the console is put into the working copy. */
  readonly instrumented: boolean;
}

export interface BootRequest extends Omit<MachineRequest, "instrumented"> {
  /** The user who should be able to log in; null: no login is tried. */
  readonly user: string | null;
  /** Private key files to log in with. */
  readonly identities: readonly string[];
  /** null: any name will do. */
  readonly expectedHostName: string | null;
  /** false: the node has an address of its own that QEMU's network does not lead to; nobody tries to. */
  readonly reachable: boolean;
  /** Whether the fan daemon has a fan to drive. */
  readonly hasFan: boolean;
  /** Whether the node has Prometheus, and a list of nodes for it. */
  readonly isMonitor: boolean;
  /** From the start of QEMU to the report. */
  readonly timeoutSeconds: number;
  /** How long the console may stay silent before the login prompt. */
  readonly stallSeconds: number;
}

/** Milestones in the order in which a boot passes them. */
export const milestones = ["kernel", "root", "systemd", "login", "report"] as const;
export type Milestone = (typeof milestones)[number];

/** What a boot tells while it runs. */
export type BootEvent =
  | { readonly event: "copied"; readonly sizeBytes: number }
  | {
      readonly event: "started";
      readonly machine: MachineKind;
      readonly kernel: string;
      readonly initramfs: string | null;
      readonly deviceTree: string | null;
      readonly commandLine: string;
      readonly sshPort: number;
      readonly nodeExporterPort: number;
    }
  | { readonly event: "reached"; readonly milestone: Milestone; readonly seconds: number }
  | { readonly event: "console"; readonly line: string }
  | { readonly event: "warned"; readonly message: string; readonly hint: string };

export interface BootPorts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** The environment of the programs that run: PATH at least; ssh also reads SSH_AUTH_SOCK. */
  readonly environment: Readonly<Record<string, string>>;
  readonly tell: (event: BootEvent) => void;
}
