import { describe, expect, test } from "bun:test";

import { chooseBootFiles } from "../../../../src/imager/boot/boot-files.ts";
import type { Emulation } from "../../../../src/imager/boot/boot-request.ts";
import { automaticInitramfs, readFirmwareConfig } from "../../../../src/imager/boot/firmware-config.ts";

const untold: Emulation = { kernel: null, initramfs: null, deviceTree: null, console: null, cmdline: [] };
const debianNames = [
  "config.txt",
  "vmlinuz-6.12.9",
  "vmlinuz-6.12.107",
  "initrd.img-6.12.107",
  "bcm2837-rpi-3-b.dtb",
  "overlays/w1-gpio.dtbo",
];
const debianConfig =
  "# made by raspi-firmware\narm_64bit=1\n\nkernel=vmlinuz-6.12.107\ninitramfs initrd.img-6.12.107\n";

describe("readFirmwareConfig", () => {
  test("reads kernel and initramfs as Debian writes them", () => {
    expect(readFirmwareConfig(debianConfig)).toEqual({
      kernel: "vmlinuz-6.12.107",
      initramfs: "initrd.img-6.12.107",
      deviceTree: null,
      autoInitramfs: false,
    });
  });

  test("reads the sections of a Raspberry Pi 3 and those of all models, and no other", () => {
    const text =
      "kernel=first\n[pi5]\nkernel=kernel_2712.img\n[pi3]\nkernel=kernel8.img\n[pi4]\ndevice_tree=four.dtb\n[all]\r\nauto_initramfs=1\r\n";
    expect(readFirmwareConfig(text)).toEqual({
      kernel: "kernel8.img",
      initramfs: null,
      deviceTree: null,
      autoInitramfs: true,
    });
  });

  test("puts os_prefix before names, ignores followkernel and what a comment hides", () => {
    const text = "#kernel=old\nos_prefix=six/\ninitramfs initrd.img followkernel\nkernel=vmlinuz # new\n";
    expect(readFirmwareConfig(text)).toMatchObject({ kernel: "six/vmlinuz", initramfs: "six/initrd.img" });
  });

  test("derives the automatic initramfs from the kernel's name", () => {
    expect(automaticInitramfs("kernel8.img")).toBe("initramfs8");
    expect(automaticInitramfs("six/kernel_2712.img")).toBe("six/initramfs_2712");
    expect(automaticInitramfs("vmlinuz")).toBeNull();
  });
});

describe("chooseBootFiles", () => {
  test("takes what config.txt names, and the upstream device tree", () => {
    expect(chooseBootFiles(debianNames, untold, readFirmwareConfig(debianConfig), "raspi3b")).toEqual({
      kernel: "vmlinuz-6.12.107",
      initramfs: "initrd.img-6.12.107",
      deviceTree: "bcm2837-rpi-3-b.dtb",
    });
  });

  test("prefers the target's word; a star takes the highest version, not the last in the alphabet", () => {
    const emulation = { ...untold, kernel: "vmlinuz-*" };
    expect(
      chooseBootFiles(debianNames, emulation, readFirmwareConfig("kernel=other"), "raspi3b").kernel,
    ).toBe("vmlinuz-6.12.107");
  });

  test("falls back to the firmware's defaults, whatever the case of letters, and finds the Foundation's device tree", () => {
    const names = ["KERNEL8.IMG", "initramfs8", "bcm2710-rpi-3-b.dtb"];
    const config = readFirmwareConfig("auto_initramfs=1");
    expect(chooseBootFiles(names, untold, config, "raspi3b")).toEqual({
      kernel: "KERNEL8.IMG",
      initramfs: null,
      deviceTree: "bcm2710-rpi-3-b.dtb",
    });
    expect(
      chooseBootFiles(["kernel8.img", "initramfs8", "bcm2710-rpi-3-b.dtb"], untold, config, "raspi3b")
        .initramfs,
    ).toBe("initramfs8");
  });

  test("needs no device tree on virt", () => {
    expect(chooseBootFiles(["kernel8.img"], untold, readFirmwareConfig(""), "virt")).toEqual({
      kernel: "kernel8.img",
      initramfs: null,
      deviceTree: null,
    });
  });

  test("names the missing file and what there is instead", () => {
    expect(() =>
      chooseBootFiles(["start.elf", "overlays/a.dtbo"], untold, readFirmwareConfig(""), "virt"),
    ).toThrow("the boot partition has no kernel kernel8.img; it holds: start.elf");
    expect(() => chooseBootFiles(["kernel8.img"], untold, readFirmwareConfig(""), "raspi3b")).toThrow(
      "no device tree bcm2837-rpi-3-b.dtb",
    );
    expect(() =>
      chooseBootFiles(["kernel8.img"], untold, readFirmwareConfig("initramfs gone"), "virt"),
    ).toThrow("no initramfs gone");
  });
});
