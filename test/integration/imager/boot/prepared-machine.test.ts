import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { messageOf } from "../../../../src/core/errors.ts";
import { instrument } from "../../../../src/imager/boot/instrument.ts";
import type { BootPorts, MachineRequest } from "../../../../src/imager/boot/boot-request.ts";
import { prepareMachine } from "../../../../src/imager/boot/machine.ts";
import { reportFiles } from "../../../../src/imager/boot/report-unit.ts";
import { toolPath } from "../../../../src/imager/boot/tools.ts";
import { copyImage } from "../../../../src/imager/boot/working-copy.ts";
import { commandRunner } from "../../../../src/system/command-runner.ts";

const never = new AbortController().signal;
const MiB = 1024 * 1024;
const environment = { PATH: toolPath({ PATH: process.env["PATH"] ?? "" }), MTOOLS_SKIP_CHECK: "1" };
const ports: BootPorts = {
  runner: commandRunner,
  clock: { now: () => 0, sleep: () => Promise.resolve() },
  environment,
  tell: () => {},
};

let folder = "";
let image = "";

async function run(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await commandRunner.run(
    argv,
    { env: environment, cwd: folder },
    never,
  );
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

/** An arm64 Image's header with a page size field, and nothing to run behind it. */
function kernel(pageSizeField: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4096);
  const header = new DataView(bytes.buffer);
  header.setUint8(0x18, pageSizeField << 1);
  header.setUint32(0x38, 0x644d5241, true);
  return bytes;
}

/** 4 MiB nothing, 8 MiB FAT, 12 MiB ext4: 24 MiB, so the card is one of 32 MiB. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-boot-test-"));
  image = join(folder, "pi1.img");
  const at = (name: string): string => join(folder, name);
  await writeFile(
    at("config.txt"),
    "kernel=vmlinuz-6.12\ninitramfs initrd.img-6.12\n[pi5]\nkernel=kernel_2712.img\n",
  );
  await writeFile(at("cmdline.txt"), "console=tty1 root=PARTUUID=b0057e57-02 rw\n");
  await writeFile(at("vmlinuz-6.12"), kernel(1));
  await writeFile(at("vmlinuz-16k"), kernel(2));
  await writeFile(at("initrd.img-6.12"), "an initramfs");
  await writeFile(at("bcm2837-rpi-3-b.dtb"), "a device tree");
  await run("mkfs.vfat", "-C", "boot.fat", String(8 * 1024));
  await run(
    "mcopy",
    "-i",
    "boot.fat",
    "config.txt",
    "cmdline.txt",
    "vmlinuz-6.12",
    "vmlinuz-16k",
    "initrd.img-6.12",
    "bcm2837-rpi-3-b.dtb",
    "::/",
  );
  await mkdir(at("root/etc/systemd/system"), { recursive: true });
  await run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", "root", "root.ext4", "12M");
  await run("truncate", "-s", "24M", "pi1.img");
  await run("dd", "if=boot.fat", "of=pi1.img", "bs=1M", "seek=4", "conv=notrunc");
  await run("dd", "if=root.ext4", "of=pi1.img", "bs=1M", "seek=12", "conv=notrunc");
  const table =
    "label: dos\nlabel-id: 0xb0057e57\nstart=4MiB,size=8MiB,type=c\nstart=12MiB,size=12MiB,type=83\n";
  const { exitCode } = await commandRunner.run(
    ["sfdisk", "-q", image],
    { env: environment, stdin: table },
    never,
  );
  expect(exitCode).toBe(0);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function request(changes: Partial<MachineRequest>): MachineRequest {
  const emulation = { kernel: null, initramfs: null, deviceTree: null, console: null, cmdline: [] };
  return { image, machine: "raspi3b", emulation, scratchDirectory: folder, instrumented: true, ...changes };
}

const workingFolders = async (): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith("berry-boot-"));

/** What a promise rejects with; undefined when it does not. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

async function messageOfFailure(promise: Promise<unknown>): Promise<string> {
  return messageOf(await failureOf(promise));
}

describe("a prepared machine", () => {
  test("has what the firmware would have loaded, on a card of a power of two", async () => {
    await using machine = await prepareMachine(request({}), ports, never);
    expect(machine.copy.sizeBytes).toBe(32 * MiB);
    expect((await stat(machine.copy.image)).size).toBe(32 * MiB);
    expect((await stat(machine.copy.folder)).mode & 0o777).toBe(0o700);
    expect(machine.firmware.names).toEqual({
      kernel: "vmlinuz-6.12",
      initramfs: "initrd.img-6.12",
      deviceTree: "bcm2837-rpi-3-b.dtb",
    });
    expect(machine.firmware.commandLine).toBe("root=PARTUUID=b0057e57-02 rw rootwait console=ttyS1,115200");
    expect(new Uint8Array(await readFile(machine.firmware.kernel))).toEqual(kernel(1));
    expect(await readFile(machine.firmware.initramfs ?? "", "utf8")).toBe("an initramfs");
    expect(await readFile(machine.firmware.deviceTree ?? "", "utf8")).toBe("a device tree");
  });

  test("reports from the copy: the unit is there, owned by root, and the file system stays clean", async () => {
    await using machine = await prepareMachine(request({}), ports, never);
    const device = `${machine.copy.image}?offset=${12 * MiB}`;
    const script = await run("debugfs", "-R", "stat /etc/berry-boot-report.sh", device);
    expect(script).toMatch(/Mode: +0755/);
    expect(script).toMatch(/User: +0 +Group: +0/);
    expect(
      await run(
        "debugfs",
        "-R",
        "stat /etc/systemd/system/multi-user.target.wants/berry-boot-report.service",
        device,
      ),
    ).toContain('Fast link dest: "../berry-boot-report.service"');
    await run("dd", `if=${machine.copy.image}`, "of=after.ext4", "bs=1M", "skip=12", "count=12");
    await run("e2fsck", "-fn", "after.ext4");
  });

  test("reports from the copy a second time, when the image already was instrumented", async () => {
    await using machine = await prepareMachine(request({}), ports, never);
    expect(await instrument(machine.copy, reportFiles(7), "debugfs", ports, never)).toBeUndefined();
    const script = await run(
      "debugfs",
      "-R",
      "cat /etc/berry-boot-report.sh",
      `${machine.copy.image}?offset=${12 * MiB}`,
    );
    expect(script).toContain("timeout 7 systemctl");
  });

  test("leaves the image as it is, and nothing behind", async () => {
    const before = Bun.SHA256.hash(await readFile(image), "hex");
    await (await prepareMachine(request({}), ports, never))[Symbol.asyncDispose]();
    expect(Bun.SHA256.hash(await readFile(image), "hex")).toBe(before);
    expect(await workingFolders()).toEqual([]);
  });

  test("refuses a kernel with 16 KiB pages on raspi3b, takes it on virt, and cleans up either way", async () => {
    const emulation = {
      kernel: "vmlinuz-16k",
      initramfs: null,
      deviceTree: null,
      console: null,
      cmdline: [],
    };
    expect(await messageOfFailure(prepareMachine(request({ emulation }), ports, never))).toContain(
      "vmlinuz-16k uses pages of 16 KiB",
    );
    await using machine = await prepareMachine(request({ emulation, machine: "virt" }), ports, never);
    expect(machine.firmware).toMatchObject({ pageKiB: 16, deviceTree: null });
    expect(await workingFolders()).toHaveLength(1);
  });

  test("says which file is missing", async () => {
    const emulation = {
      kernel: "vmlinuz-7.*",
      initramfs: null,
      deviceTree: null,
      console: null,
      cmdline: [],
    };
    expect(await messageOfFailure(prepareMachine(request({ emulation }), ports, never))).toContain(
      "the boot partition has no kernel vmlinuz-7.*",
    );
  });

  test("blames the image when its boot partition is empty of a file system", async () => {
    const zeroed = join(folder, "zeroed.img");
    const bytes = new Uint8Array(await Bun.file(image).arrayBuffer());
    bytes.fill(0, 512);
    await Bun.write(zeroed, bytes);
    expect(await failureOf(prepareMachine(request({ image: zeroed }), ports, never))).toMatchObject({
      kind: "bad-data",
      message: `the boot partition of ${zeroed} cannot be read`,
    });
  });
});

describe("copying an image", () => {
  test("says what to do when there is no image", async () => {
    expect(await failureOf(copyImage(join(folder, "none.img"), folder, "cp", ports, never))).toMatchObject({
      kind: "no-input",
      hint: "bake it first: berry imager bake",
    });
  });

  test("makes no folder for a file that is no image", async () => {
    expect(
      await messageOfFailure(copyImage(join(folder, "root.ext4"), folder, "cp", ports, never)),
    ).toContain("the image has no partition table");
    expect(await workingFolders()).toEqual([]);
  });
});
