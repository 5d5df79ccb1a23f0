import { describe, expect, test } from "bun:test";

import { defaultConsole, emulatedCommandLine } from "../../../../src/imager/boot/command-line.ts";
import { qemuArguments, type QemuMachine } from "../../../../src/imager/boot/qemu-arguments.ts";

const debian =
  "console=tty0 console=ttyS1,115200 root=PARTUUID=b0057e57-02 rw fsck.repair=yes quiet net.ifnames=0 cma=64M rootwait \nignored\n";

describe("emulatedCommandLine", () => {
  test("keeps the image's words and moves the console to the serial port", () => {
    expect(emulatedCommandLine(debian, "raspi3b", "ttyS1,115200")).toBe(
      "root=PARTUUID=b0057e57-02 rw fsck.repair=yes net.ifnames=0 cma=64M rootwait console=ttyS1,115200",
    );
  });

  test("names the card's partition as virt names it, and waits for it", () => {
    expect(emulatedCommandLine("root=/dev/mmcblk0p2 rw", "virt", "ttyAMA0")).toBe(
      "root=/dev/vda2 rw rootwait console=ttyAMA0",
    );
    expect(emulatedCommandLine("root=/dev/mmcblk0p2 rw", "raspi3b", "ttyS1")).toContain(
      "root=/dev/mmcblk0p2",
    );
  });

  test("refuses a command line without a root file system", () => {
    expect(() => emulatedCommandLine("rw quiet", "virt", "ttyAMA0")).toThrow(
      "names no root file system: rw quiet",
    );
    expect(() => emulatedCommandLine("", "virt", "ttyAMA0")).toThrow("it is empty");
  });

  test("knows which serial port each device tree calls the console", () => {
    expect(defaultConsole("virt", null)).toBe("ttyAMA0");
    expect(defaultConsole("raspi3b", "bcm2837-rpi-3-b.dtb")).toBe("ttyS1,115200");
    expect(defaultConsole("raspi3b", "bcm2710-rpi-3-b.dtb")).toBe("ttyAMA1,115200");
  });
});

describe("qemuArguments", () => {
  const raspi: QemuMachine = {
    machine: "raspi3b",
    disk: "/tmp/a,b/card.img",
    kernel: "/tmp/kernel",
    initramfs: "/tmp/initramfs",
    deviceTree: "/tmp/dtb",
    commandLine: "root=PARTUUID=b0057e57-02 console=ttyS1,115200",
    console: "ttyS1,115200",
    pageKiB: 4,
    sshPort: 2222,
    nodeExporterPort: 9101,
    interactive: false,
  };
  const after = (words: readonly string[], word: string): readonly string[] =>
    words.flatMap((value, index) => (words[index - 1] === word ? [value] : []));

  test("boots raspi3b from its SD card, and doubles commas in the path", () => {
    const words = qemuArguments(raspi);
    expect(after(words, "-M")).toEqual(["raspi3b"]);
    expect(after(words, "-drive")).toEqual(["file=/tmp/a,,b/card.img,format=raw,cache=unsafe,if=sd"]);
    expect(after(words, "-dtb")).toEqual(["/tmp/dtb"]);
    expect(after(words, "-append")).toEqual([raspi.commandLine]);
  });

  test("listens on the loopback address alone", () => {
    expect(after(qemuArguments(raspi), "-netdev")).toEqual([
      "user,id=net,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:9101-:9100",
    ]);
  });

  test("puts the mini UART second and the PL011 first", () => {
    expect(after(qemuArguments(raspi), "-serial")).toEqual(["null", "chardev:console"]);
    expect(after(qemuArguments({ ...raspi, console: "ttyAMA0,115200" }), "-serial")).toEqual([
      "chardev:console",
    ]);
  });

  test("gives virt virtio devices, and a processor with 16 KiB pages where the kernel needs one", () => {
    const words = qemuArguments({
      ...raspi,
      machine: "virt",
      initramfs: null,
      deviceTree: null,
      console: "ttyAMA0",
    });
    expect(after(words, "-cpu")).toEqual(["cortex-a72"]);
    expect(words).not.toContain("-dtb");
    expect(words).not.toContain("-initrd");
    expect(after(words, "-device").map((device) => device.split(",")[0])).toEqual([
      "virtio-blk-pci",
      "virtio-net-pci",
      "virtio-rng-pci",
    ]);
    expect(after(qemuArguments({ ...raspi, machine: "virt", pageKiB: 16 }), "-cpu")).toEqual(["max"]);
  });

  test("lets Ctrl-A command QEMU only where somebody types", () => {
    expect(after(qemuArguments(raspi), "-monitor")).toEqual(["none"]);
    expect(after(qemuArguments({ ...raspi, interactive: true }), "-mon")).toEqual(["chardev=console"]);
    expect(after(qemuArguments({ ...raspi, interactive: true }), "-chardev")).toEqual([
      "stdio,id=console,signal=off,mux=on",
    ]);
  });
});
