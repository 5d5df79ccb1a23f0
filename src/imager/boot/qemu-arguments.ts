import type { MachineKind } from "./boot-request.ts";

export interface QemuMachine {
  readonly machine: MachineKind;
  /** Path of the disk image: a power of two bytes long. */
  readonly disk: string;
  readonly kernel: string;
  readonly initramfs: string | null;
  readonly deviceTree: string | null;
  readonly commandLine: string;
  /** The console named on the command line, such as `ttyS1,115200`. */
  readonly console: string;
  /** Page size of the kernel. */
  readonly pageKiB: 4 | 16 | 64 | null;
  /** Ports on 127.0.0.1 that lead to port 22 and port 9100 of the machine. */
  readonly sshPort: number;
  readonly nodeExporterPort: number;
  /** true: Ctrl-A commands QEMU, as somebody types there. */
  readonly interactive: boolean;
}

/** An address of the Raspberry Pi Foundation's: the kernel calls the interface eth0 then, as on a board. */
const hardwareAddress = "b8:27:eb:00:00:01";

/**
 * QEMU's arguments, the program's name left out. The console is QEMU's standard input and output.
 * raspi3b's first serial port is the PL011 (ttyAMA*), its second the mini UART (ttyS*).
 */
export function qemuArguments(machine: QemuMachine): readonly string[] {
  return [
    ...hardware(machine),
    ...["-kernel", machine.kernel],
    ...(machine.initramfs === null ? [] : ["-initrd", machine.initramfs]),
    ...(machine.deviceTree === null ? [] : ["-dtb", machine.deviceTree]),
    ...["-append", machine.commandLine],
    ...["-display", "none", "-no-reboot"],
    ...["-chardev", `stdio,id=console,signal=off,mux=${machine.interactive ? "on" : "off"}`],
    ...(machine.interactive ? ["-mon", "chardev=console"] : ["-monitor", "none"]),
    ...serialPorts(machine),
    ...["-netdev", `user,id=net,${forward(machine.sshPort, 22)},${forward(machine.nodeExporterPort, 9100)}`],
  ];
}

function hardware(machine: QemuMachine): readonly string[] {
  const disk = `file=${machine.disk.replaceAll(",", ",,")},format=raw,cache=unsafe`;
  switch (machine.machine) {
    case "raspi3b":
      return [
        ...["-M", "raspi3b"],
        ...["-drive", `${disk},if=sd`],
        ...["-device", `usb-net,netdev=net,mac=${hardwareAddress}`],
      ];
    case "virt":
      return [
        ...["-M", "virt", "-smp", "2", "-m", "1024"],
        // Of QEMU's processors only `max` knows pages of 16 KiB in every version.
        ...["-cpu", machine.pageKiB === 16 ? "max" : "cortex-a72"],
        ...["-drive", `${disk},if=none,id=card`, "-device", "virtio-blk-pci,drive=card"],
        ...["-device", `virtio-net-pci,netdev=net,mac=${hardwareAddress},romfile=`],
        ...["-device", "virtio-rng-pci"],
      ];
  }
}

function serialPorts(machine: QemuMachine): readonly string[] {
  const isMiniUart = machine.machine === "raspi3b" && machine.console.startsWith("ttyS");
  return [...(isMiniUart ? ["-serial", "null"] : []), "-serial", "chardev:console"];
}

function forward(hostPort: number, guestPort: number): string {
  return `hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`;
}
